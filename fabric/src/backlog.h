// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "noc_network.h"
#include "wse/fabric/prefetch.h"

namespace wse::fabric {

/// Queues without bound, one a tile of some rows; only tiles that wait cost anything.
class Backlog {
 public:
  Backlog(std::uint32_t first_tile, std::uint32_t tiles, std::size_t blocks)
      : first_tile_(first_tile), last_(tiles, kNone), waiting_(blocks) {}

  void prefetch(std::uint32_t tile) const { fabric::prefetch(&last_[tile - first_tile_]); }
  bool holds(std::uint32_t tile) const { return last_[tile - first_tile_] != kNone; }
  std::uint32_t blocks() const { return static_cast<std::uint32_t>(waiting_.size()); }
  std::uint64_t size() const { return size_; }

  void push(std::uint32_t block, std::uint32_t tile, Parcel parcel) {
    std::uint32_t node = free_;
    if (node == kNone) {
      node = static_cast<std::uint32_t>(nodes_.size());
      nodes_.emplace_back();
    } else {
      free_ = nodes_[node].next;
    }
    nodes_[node] = {parcel, kNone};
    std::uint32_t& last = last_[tile - first_tile_];
    if (last == kNone) {
      waiting_[block].push_back({tile, node});
    } else {
      nodes_[last].next = node;
    }
    last = node;
    ++size_;
  }
  /// Offers the first of each queue of a block to give(tile, parcel), which says whether it was
  /// taken.
  template <class Give>
  void offer(std::uint32_t block, Give&& give) {
    std::vector<Waiting>& waiting = waiting_[block];
    std::size_t kept = 0;
    for (Waiting& w : waiting) {
      if (give(w.tile, nodes_[w.first].parcel)) {
        const std::uint32_t node = w.first;
        w.first = nodes_[node].next;
        nodes_[node].next = free_;
        free_ = node;
        --size_;
      }
      if (w.first == kNone) {
        last_[w.tile - first_tile_] = kNone;
      } else {
        waiting[kept++] = w;
      }
    }
    waiting.resize(kept);
  }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  struct Node {
    Parcel parcel;
    std::uint32_t next;
  };
  struct Waiting {
    std::uint32_t tile;
    std::uint32_t first;
  };
  const std::uint32_t first_tile_;
  std::vector<std::uint32_t> last_;            ///< node by tile
  std::vector<std::vector<Waiting>> waiting_;  ///< by block of columns in a row
  std::vector<Node> nodes_;
  std::uint32_t free_ = kNone;
  std::uint64_t size_ = 0;
};

}  // namespace wse::fabric
