// SPDX-License-Identifier: Apache-2.0
// What the files of a run say must be what the run measured.
#include "wse/report/train_report.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/presets.h"
#include "support/run_command.h"
#include "support/systemc_test.h"
#include "wse/report/run_files.h"
#include "wse/report/wafer_waves.h"
#include "wse/report/wave_file.h"

namespace wse::report {
namespace {

class TrainReportTest : public testing_support::SystemCTest {
 protected:
  TrainReportTest() {
    model::Settings settings = testing_support::machine_preset("tiny");
    model::TrainingOptions options;
    options.steps = 3;
    waves_ = std::make_unique<WaferWaves>(open_wave_file(folder_.file("wafer.vcd")),
                                          settings.machine, WaveSelection{});
    options.observer = [this](const model::RunSample& s, const power::WindowSample& p) {
      waves_->observe(s, p);
    };
    result_ = model::train(testing_support::model_preset("tiny-gpt"), settings,
                           testing_support::energy_preset(), options);
    waves_->close();
  }
  std::string wafer_vcd() const { return testing_support::read_file(folder_.file("wafer.vcd")); }

  testing_support::TemporaryFolder folder_;
  std::unique_ptr<WaferWaves> waves_;
  model::TrainingResult result_;
};

/// A reader of value change dumps that knows nothing of the writer.
struct Vcd {
  std::map<std::string, std::string> names;  ///< identifier to scope.name
  std::vector<std::pair<std::uint64_t, std::map<std::string, std::string>>> times;

  explicit Vcd(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> scopes;
    std::map<std::string, std::string> now;
    bool in_header = true;
    for (std::string word; in >> word;) {
      if (in_header) {
        read_header(word, in, scopes);
        in_header = word != "$enddefinitions";
      } else if (word[0] == '#') {
        if (!times.empty()) times.back().second = now;
        times.push_back({std::stoull(word.substr(1)), {}});
      } else if (word[0] == 'b' || word[0] == 'r') {
        std::string id;
        in >> id;
        EXPECT_EQ(names.count(id), 1u) << id;
        now[names[id]] = word.substr(1);
      }
    }
    times.back().second = now;
    EXPECT_TRUE(scopes.empty());
  }
  void read_header(const std::string& word, std::istream& in, std::vector<std::string>& scopes) {
    std::vector<std::string> rest;
    for (std::string w; in >> w && w != "$end";) rest.push_back(w);
    if (word == "$scope") scopes.push_back(rest[1]);
    if (word == "$upscope") scopes.pop_back();
    if (word != "$var") return;
    std::string path;
    for (const std::string& scope : scopes) path += scope + ".";
    EXPECT_TRUE(names.emplace(rest[2], path + rest[3]).second) << "declared twice: " << rest[2];
  }
};

TEST_F(TrainReportTest, TheWavesHaveEveryWindowAndIntegrateToTheEnergy) {
  const Vcd vcd(wafer_vcd());
  ASSERT_EQ(vcd.times.size(), result_.samples.size() + 1);
  double joules = 0;
  for (std::size_t i = 0; i + 1 < vcd.times.size(); ++i) {
    const auto& [time, values] = vcd.times[i];
    EXPECT_EQ(time, result_.samples[i].begin);
    EXPECT_EQ(values.size(), vcd.names.size());
    double dies = 0;
    for (const auto& [name, value] : values) {
      if (name.find(".die_") != std::string::npos && name.find("power_w") != std::string::npos)
        dies += std::stod(value);
    }
    const double wafer = std::stod(values.at("cs2.wafer.power_w"));
    EXPECT_NEAR(dies, wafer, 1e-4 * wafer);
    joules += wafer * static_cast<double>(vcd.times[i + 1].first - time) * 1e-12;
  }
  EXPECT_NEAR(joules / result_.steps, result_.energy_j, 1e-5 * result_.energy_j);
}

TEST_F(TrainReportTest, TheSaveFileNamesSignalsOfTheWaves) {
  const Vcd vcd(wafer_vcd());
  std::map<std::string, int> known;
  for (const auto& [id, name] : vcd.names) known[name] = 0;
  std::istringstream save(waves_->save_file("wafer.vcd", "."));
  for (std::string line; std::getline(save, line);) {
    if (line.rfind("cs2.", 0) != 0) continue;
    const std::string name = line.substr(0, line.find('['));
    ASSERT_EQ(known.count(name), 1u) << line;
    ++known[name];
  }
  for (const auto& [name, times] : known) EXPECT_EQ(times, 1) << name;
}

TEST_F(TrainReportTest, TheTableOfDiesSumsToTheWafer) {
  std::istringstream csv(dies_csv(result_));
  std::string line;
  std::getline(csv, line);
  EXPECT_EQ(line,
            "row,col,energy_j,power_mean_w,power_peak_w,temperature_mean_c,temperature_peak_c,busy,"
            "sram_peak_bytes");
  double energy = 0;
  double power = 0;
  double sram = 0;
  int dies = 0;
  for (; std::getline(csv, line); ++dies) {
    std::vector<double> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(std::stod(cell));
    ASSERT_EQ(cells.size(), 9u);
    EXPECT_EQ(cells[0] * 2 + cells[1], dies);
    energy += cells[2];
    power += cells[3];
    EXPECT_GE(cells[4], cells[3]);  // peak and mean
    EXPECT_GE(cells[6], cells[5] - 1e-3);
    EXPECT_GT(cells[7], 0);
    EXPECT_LE(cells[7], 1);
    sram += cells[8];
  }
  EXPECT_EQ(dies, 4);
  EXPECT_NEAR(energy, result_.energy_j, 1e-7 * result_.energy_j);
  EXPECT_NEAR(power, result_.wafer_power_mean_w, 1e-7 * power);
  EXPECT_LE(sram, static_cast<double>(result_.plan.activation_bytes) + 4);
  EXPECT_GT(sram, 0.2 * static_cast<double>(result_.plan.activation_bytes));
}

TEST_F(TrainReportTest, TheStatisticsHoldEveryKeyOfTheJsonAndTheirSums) {
  const auto brief = train_json(result_);
  const auto stats = stats_json(result_);
  for (const auto& [key, value] : brief.items()) EXPECT_EQ(stats.at(key), value) << key;
  for (const char* kind : {"energy_by_kind_j", "energy_by_phase_j", "energy_by_die_j"}) {
    double sum = 0;
    for (const auto& value : stats.at(kind)) sum += value.get<double>();
    EXPECT_NEAR(sum, result_.energy_j, 1e-9 * result_.energy_j) << kind;
  }
  double fractions = 0;
  for (const auto& value : stats.at("time_ledger")) fractions += value.get<double>();
  EXPECT_NEAR(fractions, 1, 1e-9);
}

TEST_F(TrainReportTest, TheMapsOfTheReportAreTheMeansOfTheRun) {
  const auto samples = samples_json(result_, nullptr);
  std::map<std::string, nlohmann::ordered_json> maps;
  for (const auto& map : samples.at("maps")) maps[map.at("id")] = map;
  ASSERT_EQ(maps.size(), 5u);
  const double seconds = result_.step_seconds * result_.steps;
  for (std::size_t die = 0; die < 4; ++die) {
    EXPECT_NEAR(maps["power_w"]["mean"][die].get<double>(),
                result_.energy_by_die[die] / result_.step_seconds, 1e-3);
  }
  double hops = 0;
  for (const auto& die : maps["traffic"]["mean"]) hops += die.get<double>();
  EXPECT_NEAR(hops * seconds, static_cast<double>(result_.wavelet_hops * result_.steps),
              1e-3 * hops * seconds);
  double frames = 0;
  for (std::size_t f = 0; f < samples["frames"]["begin_s"].size(); ++f) {
    const double dt =
        samples["frames"]["end_s"][f].get<double>() - samples["frames"]["begin_s"][f].get<double>();
    for (const auto& w : maps["power_w"]["frames"][f]) frames += w.get<double>() * dt;
  }
  EXPECT_NEAR(frames, result_.energy_j * result_.steps, 1e-4 * frames);
}

TEST_F(TrainReportTest, TheLayersOfTheReportAddUpToTheStep) {
  double seconds = 0;
  std::map<std::string, double> causes;
  const auto samples = samples_json(result_, nullptr);
  ASSERT_EQ(samples.at("layers").size(), 3u);  // two, and what is outside
  for (const auto& layer : samples.at("layers")) {
    seconds += layer.at("seconds").get<double>();
    EXPECT_NEAR(layer.at("compute").get<double>() + layer.at("sram").get<double>() +
                    layer.at("io").get<double>() + layer.at("latency").get<double>(),
                1, 1e-9);
    for (const auto& [cause, s] : layer.at("causes").items()) causes[cause] += s.get<double>();
  }
  EXPECT_NEAR(seconds, result_.step_seconds, 1e-6 * seconds);
  for (std::size_t c = 0; c < tiles::kNumCauses; ++c) {
    const std::string name(name_of(static_cast<tiles::Cause>(c)));
    EXPECT_NEAR(causes[name], result_.time_ledger[c] * result_.step_seconds, 1e-6 * seconds);
  }
}

TEST_F(TrainReportTest, TheSummaryRoundsWhatWasMeasured) {
  const std::string text = summary(result_);
  EXPECT_NE(text.find(result_.result_hash), std::string::npos);
  std::ostringstream rate;
  rate.precision(0);
  rate << std::fixed << result_.tokens_per_second();
  EXPECT_NE(text.find("tokens/s               " + rate.str()), std::string::npos) << text;
  EXPECT_NE(text.find("(calibrated)"), std::string::npos) << text;
  EXPECT_EQ(text.find("nan"), std::string::npos);
}

}  // namespace
}  // namespace wse::report
