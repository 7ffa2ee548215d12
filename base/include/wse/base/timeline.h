// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "wse/base/work_item.h"

namespace wse::base {

/// Where a stretch of time belongs.
enum class Track : std::uint8_t {
  kLaneIn,     ///< a share of an item crosses a lane towards the wafer
  kLaneOut,    ///< gradients cross a lane
  kBroadcast,  ///< its weights arrive on the first die
  kCompute,    ///< the tiles of the first die work on it
  kReduction,  ///< its last sums travel to their owners
  kGradients,  ///< its gradients travel to the lanes and leave
};

/// What happened to the items of chosen layers, for a picture of it. Modules add to it while it
/// records.
class Timeline {
 public:
  struct Span {
    Track track;
    std::uint32_t index;  ///< lane; else 0
    WorkItem item;
    Picoseconds begin;
    Picoseconds end;
  };

  /// Layers first .. last, both included.
  Timeline(std::uint32_t first, std::uint32_t last) : first_(first), last_(last) {}

  void start() { recording_ = true; }
  void add(Track track, std::uint32_t index, const WorkItem& item, Picoseconds begin,
           Picoseconds end) {
    if (!recording_ || !item.in_layer || item.layer < first_ || item.layer > last_) return;
    if (begin < end) spans_.push_back({track, index, item, begin, end});
  }
  std::uint32_t first() const { return first_; }
  std::uint32_t last() const { return last_; }
  const std::vector<Span>& spans() const { return spans_; }

 private:
  const std::uint32_t first_;
  const std::uint32_t last_;
  bool recording_ = false;
  std::vector<Span> spans_;
};

}  // namespace wse::base
