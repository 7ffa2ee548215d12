// SPDX-License-Identifier: Apache-2.0
#include "wse/report/timeline_json.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

namespace wse::report {
namespace {

using base::Timeline;
using base::Track;
using json = nlohmann::ordered_json;

struct Place {
  int process;
  int thread;
  std::string process_name;
  std::string thread_name;
};

Place place_of(const Timeline::Span& span) {
  const int lane = static_cast<int>(span.index);
  switch (span.track) {
    case Track::kLaneIn:
      return {1, lane, "lanes into the wafer", fmt::format("lane {}", lane)};
    case Track::kLaneOut:
      return {2, lane, "lanes out of the wafer", fmt::format("lane {}", lane)};
    case Track::kBroadcast:
      return {3, 0, "fabric", "broadcast of weights"};
    case Track::kReduction:
      return {3, 1, "fabric", "reduction of sums"};
    case Track::kGradients:
      return {3, 2, "fabric", "gradients to the lanes"};
    case Track::kCompute:
      return {4, 0, "tiles", "compute"};
  }
  return {};
}

/// Stretches that may overlap on their track: drawn as asynchronous events.
bool may_overlap(Track track) {
  return track == Track::kReduction || track == Track::kGradients || track == Track::kBroadcast;
}

json names_of(const std::map<std::pair<int, int>, Place>& places) {
  json events = json::array();
  for (const auto& [key, place] : places) {
    events.push_back({{"ph", "M"},
                      {"name", "process_name"},
                      {"pid", place.process},
                      {"args", {{"name", place.process_name}}}});
    events.push_back({{"ph", "M"},
                      {"name", "thread_name"},
                      {"pid", place.process},
                      {"tid", place.thread},
                      {"args", {{"name", place.thread_name}}}});
  }
  return events;
}

}  // namespace

std::string timeline_json(const std::vector<Timeline::Span>& spans, base::Picoseconds begin) {
  std::map<std::pair<int, int>, Place> places;
  json drawn = json::array();
  for (std::size_t id = 0; id < spans.size(); ++id) {
    const Timeline::Span& span = spans[id];
    const Place place = place_of(span);
    places.emplace(std::pair(place.process, place.thread), place);
    const base::WorkItem& item = span.item;
    json event{{"name", fmt::format("{} {}", name_of(item.phase), name_of(item.operation))},
               {"cat", place.thread_name},
               {"pid", place.process},
               {"tid", place.thread},
               {"ts", static_cast<double>(span.begin - begin) / 1e6}};
    const json args{{"layer", item.layer},
                    {"item", item.id},
                    {"bytes_in", item.bytes_in()},
                    {"bytes_out", item.bytes_out()}};
    if (!may_overlap(span.track)) {
      event["ph"] = "X";
      event["dur"] = static_cast<double>(span.end - span.begin) / 1e6;
      event["args"] = args;
      drawn.push_back(event);
      continue;
    }
    event["ph"] = "b";
    event["id"] = id;
    event["args"] = args;
    drawn.push_back(event);
    event["ph"] = "e";
    event["ts"] = static_cast<double>(span.end - begin) / 1e6;
    event.erase("args");
    drawn.push_back(event);
  }
  json events = names_of(places);
  events.insert(events.end(), drawn.begin(), drawn.end());
  return json{{"displayTimeUnit", "ns"}, {"traceEvents", events}}.dump() + "\n";
}

}  // namespace wse::report
