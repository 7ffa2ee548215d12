// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <numeric>
#include <optional>
#include <thread>

#include "commands.h"
#include "settings_options.h"
#include "sweep_input.h"
#include "sweep_runner.h"
#include "sweep_scripts.h"
#include "wse/model/training.h"
#include "wse/report/files.h"
#include "wse/report/page.h"
#include "wse/report/sweep_table.h"

namespace wse::cli {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;
using report::RunStatus;

struct SweepOptions {
  std::string file;
  std::string out;
  std::string scheduler = "local";
  std::int64_t jobs = static_cast<std::int64_t>(std::max(1U, std::thread::hardware_concurrency()));
  std::optional<std::int64_t> point;
  bool dry_run = false;
  bool yes = false;
  bool json = false;
  std::string command;  ///< as typed
};

bool read_options(const Arguments& arguments, SweepOptions& o) {
  po::options_description options("options");
  options.add_options()("file", po::value(&o.file)->required()->value_name("FILE"),
                        "sweep file (YAML) or preset")("jobs", po::value(&o.jobs)->value_name("N"),
                                                       "runs at once (default: the processors)")(
      "out", po::value(&o.out)->value_name("DIR"),
      "folder of the results (default out/sweep-NAME)")(
      "scheduler", po::value(&o.scheduler)->value_name("NAME"),
      "local, or write a script for parallel (GNU) or slurm")(
      "dry-run", po::bool_switch(&o.dry_run), "tell the runs and make none")(
      "yes", po::bool_switch(&o.yes), "do not ask back before more than 1000 points");
  std::int64_t point = 0;
  options.add_options()("point", po::value(&point)->value_name("I"),
                        "make only run I, from 0, and no tables: what the scripts call")(
      "json", po::bool_switch(&o.json), "print one JSON object");
  po::positional_options_description positions;
  positions.add("file", 1);
  po::variables_map values;
  if (!parse_options(arguments, options, positions, "wse sweep FILE [options]", values))
    return false;
  if (values.count("point") != 0) o.point = point;
  o.command = "wse sweep";
  for (const std::string& argument : arguments) o.command += " " + shell_word(argument);
  base::ConfigErrors errors;
  errors.require(o.jobs >= 1 && o.jobs <= 10'000, "--jobs", o.jobs, "must be 1 .. 10000");
  errors.require(o.scheduler == "local" || o.scheduler == "parallel" || o.scheduler == "slurm",
                 "--scheduler", o.scheduler, "must be local, parallel or slurm");
  errors.throw_if_any();
  return true;
}

bool ask(std::uint64_t points) {
  if (isatty(STDIN_FILENO) == 0 || isatty(STDERR_FILENO) == 0) return false;
  std::cerr << fmt::format("wse: {} points; are so many wanted? [y/N] ", points) << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return !answer.empty() && (answer[0] == 'y' || answer[0] == 'Y');
}

std::string point_text(const model::SweepPlan& plan, std::size_t run) {
  std::string text = plan.model(plan.runs()[run]).name;
  for (const model::Assignment& a : plan.file().assignments(plan.runs()[run].point))
    text += fmt::format(", {} = {}", a.path, a.value);
  return text;
}

/// Columns of a terminal; a usual number where it is none.
std::size_t width_of(int descriptor) {
  winsize size{};
  const bool known = ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40;
  return known ? size.ws_col : 100;
}

/// One line on a terminal, redrawn as runs begin and end; notices stand above it.
class SweepProgress {
 public:
  SweepProgress(const model::SweepPlan& plan, std::size_t runs) : plan_(plan), runs_(runs) {}
  ~SweepProgress() { clear(); }

  void show(std::size_t ended, std::size_t simulated, std::size_t run) {
    if (!on_) return;
    const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
    const double left = elapsed * static_cast<double>(runs_ - ended) /
                        static_cast<double>(std::max<std::size_t>(1, simulated));
    std::string line = fmt::format("[{}/{}]", ended, runs_);
    if (simulated > 0) line += fmt::format(" {:.0f} s left,", std::ceil(left));
    line += " " + point_text(plan_, run);
    clear();
    std::cerr << line.substr(0, width_of(STDERR_FILENO) - 1) << std::flush;
    visible_ = true;
  }
  void notice(const std::string& text) {
    clear();
    std::cerr << "wse: " << text << std::endl;
  }
  void clear() {
    if (visible_) std::cerr << "\r\033[K" << std::flush;
    visible_ = false;
  }

 private:
  using Clock = std::chrono::steady_clock;
  const model::SweepPlan& plan_;
  const std::size_t runs_;
  const bool on_ = isatty(STDERR_FILENO) != 0;
  const Clock::time_point start_ = Clock::now();
  bool visible_ = false;
};

report::SweepRow row_of(const model::SweepPlan& plan, const SweepRunner& runner, std::size_t run,
                        const std::vector<std::string>& axes) {
  const model::SweepRun& wanted = plan.runs()[run];
  const RunOutcome& outcome = runner.outcomes()[run];
  report::SweepRow row{
      wanted.id, outcome.status, outcome.exit_status, outcome.message, plan.model(wanted).name, {},
      {},        false};
  const model::Settings settings = plan.settings(wanted);
  for (const std::string& axis : axes)
    row.values.push_back(report::parameter_json(settings, *model::find_parameter(axis)));
  row.results.resize(plan.file().metrics.size());
  if (outcome.status == RunStatus::kDone) {
    const report::RunFolder found = report::read_run("run", runner.folder(run));
    for (std::size_t m = 0; m < row.results.size(); ++m)
      row.results[m] = report::at_path(found.stats, plan.file().metrics[m]);
  }
  return row;
}

report::SweepTable table_of(const model::SweepPlan& plan, const SweepRunner& runner,
                            const std::string& command) {
  report::SweepTable table;
  table.name = plan.file().name;
  table.command = command;
  table.axes = plan.file().axes();
  for (const std::string& axis : table.axes)
    table.units.push_back(model::find_parameter(axis)->unit);
  table.metrics = plan.file().metrics;
  table.objectives = plan.file().objectives;
  for (std::size_t run = 0; run < plan.runs().size(); ++run)
    table.rows.push_back(row_of(plan, runner, run, table.axes));
  report::mark_pareto(table);
  return table;
}

void write_tables(const report::SweepTable& table, const model::SweepPlan& plan,
                  const std::string& out) {
  report::write_file(out + "/sweep.csv", report::sweep_csv(table));
  const auto parameters = [&plan](std::size_t run) {
    const model::Settings settings = plan.settings(plan.runs()[run]);
    std::vector<std::pair<std::string, nlohmann::ordered_json>> all;
    for (const model::Parameter& parameter : model::parameters())
      all.emplace_back(parameter.path, report::parameter_json(settings, parameter));
    return all;
  };
  report::write_sweep_sqlite(table, parameters, out + "/sweep.sqlite");
  report::write_file(out + "/index.html", report::page("sweep.html", report::sweep_json(table)));
}

std::size_t taken_over(const SweepRunner& runner) {
  return static_cast<std::size_t>(
      std::count_if(runner.outcomes().begin(), runner.outcomes().end(),
                    [](const RunOutcome& outcome) { return outcome.taken_over; }));
}

int write_scripts(const SweepOptions& o, const SweepInput& input) {
  const model::SweepPlan& plan = input.plan;
  const SweepJobs jobs{fs::read_symlink("/proc/self/exe").string(), plan.file().file, o.out,
                       fs::current_path().string(), static_cast<std::size_t>(o.jobs)};
  const bool slurm = o.scheduler == "slurm";
  const std::string script = o.out + (slurm ? "/run.slurm.sh" : "/run.parallel.sh");
  const std::string points = o.out + "/points.txt";
  report::prepare_folder(o.out);
  report::write_file(points, points_text(plan));
  report::write_file(script, slurm ? slurm_script(plan, jobs) : parallel_script(plan, jobs));
  fs::permissions(script, fs::perms(0755));
  const std::vector<std::string> start =
      slurm ? slurm_commands(plan, jobs) : std::vector<std::string>{"bash " + shell_word(script)};
  const std::string merge = fmt::format("wse sweep {} --out {}{}", shell_word(o.file),
                                        shell_word(o.out), o.yes ? " --yes" : "");
  const std::size_t runs = plan.runs().size();
  if (o.json) {
    const nlohmann::ordered_json told{{"name", plan.file().name}, {"runs", runs},
                                      {"script", script},         {"points", points},
                                      {"start", start},           {"merge", merge}};
    std::cout << told.dump(2) << std::endl;
  } else {
    std::cout << fmt::format("{}: {} runs in {}\nstart them with\n  {}\n", script, runs, points,
                             fmt::join(start, "\n  "))
              << "and, when they have ended, merge their results with\n  " << merge << std::endl;
  }
  return kDone;
}

int tell_runs(const SweepOptions& o, const SweepInput& input, SweepRunner& runner) {
  const model::SweepPlan& plan = input.plan;
  runner.look();
  if (o.json) {
    std::cout << report::sweep_json(table_of(plan, runner, o.command)).dump(2) << std::endl;
    return kDone;
  }
  std::string text;
  for (std::size_t run = 0; run < plan.runs().size(); ++run) {
    const bool done = runner.outcomes()[run].taken_over;
    text += fmt::format("{:>4}  {}  {:<10}  {}\n", run, plan.runs()[run].id,
                        done ? "complete" : "to be made", point_text(plan, run));
  }
  std::cout << fmt::format("{}: {} runs, {} complete in {}/\n{}", plan.file().name,
                           plan.runs().size(), taken_over(runner), o.out, text)
            << std::flush;
  return kDone;
}

void make(SweepRunner& runner, const model::SweepPlan& plan, const std::vector<std::size_t>& chosen,
          std::int64_t jobs) {
  SweepProgress progress(plan, chosen.size());
  runner.make(
      chosen, static_cast<std::size_t>(jobs),
      [&progress](std::size_t ended, std::size_t simulated, std::size_t run) {
        progress.show(ended, simulated, run);
      },
      [&progress](const std::string& text) { progress.notice(text); });
}

int make_one(const SweepOptions& o, const SweepInput& input, SweepRunner& runner) {
  const auto last = static_cast<std::int64_t>(input.plan.runs().size()) - 1;
  if (*o.point < 0 || *o.point > last)
    throw base::ConfigError("--point", fmt::format("{}", *o.point),
                            fmt::format("must be 0 .. {}", last));
  const auto run = static_cast<std::size_t>(*o.point);
  make(runner, input.plan, {run}, 1);
  const RunOutcome& outcome = runner.outcomes()[run];
  if (o.json) {
    report::SweepTable table = table_of(input.plan, runner, o.command);
    table.rows = {table.rows[run]};
    std::cout << report::sweep_json(table).dump(2) << std::endl;
  }
  if (outcome.status == RunStatus::kDone) return kDone;
  std::cerr << fmt::format("wse: run {} failed with status {}: {}\n", input.plan.runs()[run].id,
                           outcome.exit_status, outcome.message);
  return kRunFailed;
}

int make_all(const SweepOptions& o, const SweepInput& input, SweepRunner& runner) {
  const model::SweepPlan& plan = input.plan;
  std::vector<std::size_t> all(plan.runs().size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  try {
    make(runner, plan, all, o.jobs);
  } catch (const model::Interrupted&) {
    write_tables(table_of(plan, runner, o.command), plan, o.out);
    throw;
  }
  const report::SweepTable table = table_of(plan, runner, o.command);
  write_tables(table, plan, o.out);
  if (o.json) {
    std::cout << report::sweep_json(table).dump(2) << std::endl;
  } else {
    std::cout << fmt::format("{}: {} runs, {} of them found complete\n", table.name,
                             table.rows.size(), taken_over(runner))
              << report::sweep_text(table, width_of(STDOUT_FILENO))
              << fmt::format("results in {}/ (index.html, sweep.csv, sweep.sqlite, runs/)\n", o.out)
              << std::flush;
  }
  const bool failed = std::any_of(table.rows.begin(), table.rows.end(),
                                  [](const auto& row) { return row.status == RunStatus::kFailed; });
  return failed ? kRunFailed : kDone;
}

}  // namespace

int sweep_command(const Arguments& arguments) {
  SweepOptions o;
  if (!read_options(arguments, o)) return kDone;
  const SweepInput input = read_sweep_input(
      o.file, [&o](std::uint64_t points) { return o.yes || o.point || ask(points); });
  const std::uint64_t points = input.plan.file().count();
  if (points != input.plan.runs().size())
    std::cerr << fmt::format("wse: {} points are {} different runs\n", points,
                             input.plan.runs().size());
  if (o.out.empty()) o.out = "out/sweep-" + input.plan.file().name;
  SweepRunner runner(input.plan, input.files, o.out);
  if (o.dry_run) return tell_runs(o, input, runner);
  if (o.scheduler != "local" && !o.point) return write_scripts(o, input);
  report::prepare_folder(o.out);
  return o.point ? make_one(o, input, runner) : make_all(o, input, runner);
}

}  // namespace wse::cli
