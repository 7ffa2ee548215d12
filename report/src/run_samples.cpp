// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "ledger_stats.h"
#include "wse/model/binding.h"
#include "wse/report/run_files.h"

namespace wse::report {
namespace {

using json = nlohmann::ordered_json;
using model::RunSample;
using model::TrainingResult;
using power::WindowSample;

constexpr std::size_t kMostFrames = 240;

/// Five digits are more than a picture shows.
double rounded(double value) { return std::strtod(fmt::format("{:.5g}", value).c_str(), nullptr); }

json rounded(const std::vector<double>& values) {
  json all = json::array();
  for (const double v : values) all.push_back(rounded(v));
  return all;
}

/// Time-weighted mean of vectors.
class Mean {
 public:
  void add(const std::vector<float>& values, double weight, double scale) {
    sum_.resize(values.size(), 0.0);
    for (std::size_t i = 0; i < values.size(); ++i) {
      sum_[i] += static_cast<double>(values[i]) * scale * weight;
    }
    weight_ += weight;
  }
  std::vector<double> value() const {
    std::vector<double> mean = sum_;
    for (double& v : mean) v /= weight_;
    return mean;
  }

 private:
  std::vector<double> sum_;
  double weight_ = 0;
};

/// A map of the dies, as the page shows it.
struct Map {
  const char* id;
  const char* title;
  const char* unit;
  double scale;
  const std::vector<float>& (*values)(const RunSample&, const WindowSample&);
};
const std::vector<float>& power_of(const RunSample&, const WindowSample& p) { return p.die_w; }
const std::vector<float>& temperature_of(const RunSample&, const WindowSample& p) {
  return p.die_c;
}
const std::vector<float>& busy_of(const RunSample& s, const WindowSample&) { return s.die_busy; }
const std::vector<float>& hops_of(const RunSample&, const WindowSample& p) { return p.die_hops; }
const std::vector<float>& sram_of(const RunSample& s, const WindowSample&) {
  return s.die_sram_bytes;
}
constexpr Map kMaps[] = {
    {"power_w", "Power", "W", 1, power_of},
    {"temperature_c", "Temperature", "C", 1, temperature_of},
    {"busy", "Utilization", "1", 1, busy_of},
    {"traffic", "Fabric traffic", "wavelet-hops/s", 1, hops_of},
    {"sram_mb", "SRAM", "MB", 1e-6, sram_of},
};

/// Cuts the windows of a run into frames.
class Frames {
 public:
  explicit Frames(const TrainingResult& result)
      : result_(result), windows_(std::min(result.samples.size(), result.power_trace.size())) {
    const std::size_t frames = std::min(kMostFrames, windows_);
    for (std::size_t f = 0; f <= frames; ++f)
      cuts_.push_back(f * windows_ / std::max<std::size_t>(1, frames));
  }
  std::size_t count() const { return cuts_.size() - 1; }

  double seconds(std::size_t window) const {
    const RunSample& s = result_.samples[window];
    return static_cast<double>(s.end - s.begin) * 1e-12;
  }
  /// From the begin of the measured steps.
  double time(base::Picoseconds at) const {
    return static_cast<double>(at - result_.samples.front().begin) * 1e-12;
  }
  template <class Values>
  std::vector<double> mean(std::size_t first, std::size_t last, double scale,
                           const Values& values) const {
    Mean mean;
    for (std::size_t w = first; w < last; ++w) {
      mean.add(values(result_.samples[w], result_.power_trace[w]), seconds(w), scale);
    }
    return mean.value();
  }
  template <class Values>
  json frames(double scale, const Values& values) const {
    json all = json::array();
    for (std::size_t f = 0; f < count(); ++f) {
      all.push_back(rounded(mean(cuts_[f], cuts_[f + 1], scale, values)));
    }
    return all;
  }

  json times() const {
    json begin = json::array();
    json end = json::array();
    json phase = json::array();
    json state = json::array();
    for (std::size_t f = 0; f < count(); ++f) {
      begin.push_back(time(result_.samples[cuts_[f]].begin));
      end.push_back(time(result_.samples[cuts_[f + 1] - 1].end));
      phase.push_back(name_of(longest_phase(f)));
      std::uint32_t slowest = 0;
      for (std::size_t w = cuts_[f]; w < cuts_[f + 1]; ++w) {
        slowest = std::max(slowest, result_.power_trace[w].state);
      }
      state.push_back(slowest);
    }
    return {{"begin_s", begin}, {"end_s", end}, {"phase", phase}, {"clock_state", state}};
  }
  json maps() const {
    json all = json::array();
    for (const Map& map : kMaps) {
      all.push_back({{"id", map.id},
                     {"title", map.title},
                     {"unit", map.unit},
                     {"mean", mean(0, windows_, map.scale, map.values)},
                     {"frames", frames(map.scale, map.values)}});
    }
    return all;
  }
  json lanes() const {
    const auto in = [](const RunSample& s, const WindowSample&) -> const std::vector<float>& {
      return s.lane_in_bytes_per_s;
    };
    const auto out = [](const RunSample& s, const WindowSample&) -> const std::vector<float>& {
      return s.lane_out_bytes_per_s;
    };
    return {{"in_gb_s", frames(1e-9, in)}, {"out_gb_s", frames(1e-9, out)}};
  }

 private:
  base::Phase longest_phase(std::size_t frame) const {
    std::array<double, base::kNumPhases> spent{};
    for (std::size_t w = cuts_[frame]; w < cuts_[frame + 1]; ++w) {
      spent[static_cast<std::size_t>(result_.samples[w].phase)] += seconds(w);
    }
    return static_cast<base::Phase>(std::max_element(spent.begin(), spent.end()) - spent.begin());
  }

  const TrainingResult& result_;
  const std::size_t windows_;
  std::vector<std::size_t> cuts_;
};

const char* name_of_track(base::Track track) {
  switch (track) {
    case base::Track::kLaneIn:
      return "lane_in";
    case base::Track::kLaneOut:
      return "lane_out";
    case base::Track::kBroadcast:
      return "broadcast";
    case base::Track::kCompute:
      return "compute";
    case base::Track::kReduction:
      return "reduction";
    case base::Track::kGradients:
      return "gradients";
  }
  return "";
}

/// The first step's part of the timeline, up to what a page can draw.
json timeline_of(const TrainingResult& r, const base::Timeline* timeline) {
  constexpr std::size_t kMostSpans = 20'000;
  if (timeline == nullptr) return nullptr;
  const base::Picoseconds zero = r.samples.front().begin;
  json spans = json::array();
  for (const base::Timeline::Span& s : timeline->spans()) {
    if (spans.size() == kMostSpans) break;
    spans.push_back(
        {{"track", name_of_track(s.track)},
         {"index", s.index},
         {"name", fmt::format("{} {}", name_of(s.item.phase), name_of(s.item.operation))},
         {"layer", s.item.layer},
         {"begin_s", static_cast<double>(s.begin - zero) * 1e-12},
         {"end_s", static_cast<double>(s.end - zero) * 1e-12}});
  }
  return {{"first", timeline->first()}, {"last", timeline->last()}, {"spans", spans}};
}

}  // namespace

json samples_json(const TrainingResult& r, const base::Timeline* timeline) {
  const base::GeometryConfig& g = r.settings.machine.geometry;
  const Frames frames(r);
  return {{"grid", {{"columns", g.die_columns}, {"rows", g.die_rows}}},
          {"frames", frames.times()},
          {"maps", frames.maps()},
          {"lanes", frames.lanes()},
          {"layers", layers_json(r)},
          {"timeline", timeline_of(r, timeline)}};
}

}  // namespace wse::report
