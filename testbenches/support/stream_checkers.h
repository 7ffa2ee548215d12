// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <set>
#include <string>
#include <systemc>
#include <utility>
#include <vector>

#include "wse/base/clock_epochs.h"
#include "wse/base/window_ticker.h"
#include "wse/fabric/fabric.h"

namespace wse::testing_support {

/// What was seen to break a rule: `rule: what`.
class Violations {
 public:
  void require(bool holds, const char* rule, const std::string& what) {
    if (!holds) seen_.push_back(std::string(rule) + ": " + what);
  }
  const std::vector<std::string>& seen() const { return seen_; }

 private:
  std::vector<std::string> seen_;
};

/// Rules of one I/O lane, both ways: a wire that carries one share at a time at its rate, items in
/// order, one credit for each item, gradients only for items that were sent. Stands between host
/// and fabric and passes every block on.
class LaneChecker final : public sc_core::sc_module {
 public:
  fabric::Fabric::LaneTarget from_host{"from_host"};
  fabric::Fabric::LaneInitiator to_wafer{"to_wafer"};
  fabric::Fabric::LaneTarget from_wafer{"from_wafer"};
  fabric::Fabric::LaneInitiator to_host{"to_host"};

  LaneChecker(const sc_core::sc_module_name& name, const fabric::IoConfig& io)
      : sc_core::sc_module(name), io_(io) {
    from_host.on_receive([this](fabric::LaneBlock& block) {
      check_down(block);
      to_wafer.send(block);
    });
    from_wafer.on_receive([this](fabric::LaneBlock& block) {
      check_up(block);
      to_host.send(block);
    });
  }

  std::uint64_t shares() const { return shares_; }
  std::uint64_t credits() const { return credits_; }
  /// All that was broken, with what is still owed as well.
  std::vector<std::string> violations() const {
    Violations all = violations_;
    all.require(uncredited_.empty(), "credit-missing", std::to_string(uncredited_.size()));
    all.require(owing_gradients_.empty(), "gradient-missing",
                std::to_string(owing_gradients_.size()));
    return all.seen();
  }

 private:
  void check_down(const fabric::LaneBlock& block) {
    using Kind = fabric::LaneBlock::Kind;
    const std::string what = text(block);
    violations_.require(block.kind == Kind::kShare, "kind", what);
    violations_.require(uncredited_.empty() || block.item->id > *uncredited_.rbegin(), "order",
                        what);
    check_wire(down_, block, what);
    ++shares_;
    uncredited_.insert(block.item->id);
    if (block.item->bytes_out() > 0) owing_gradients_.insert(block.item->id);
  }
  void check_up(const fabric::LaneBlock& block) {
    const std::string what = text(block);
    if (block.kind == fabric::LaneBlock::Kind::kCredit) {
      ++credits_;
      violations_.require(!uncredited_.empty() && *uncredited_.begin() == block.item->id,
                          "credit-order", what);
      uncredited_.erase(block.item->id);
      return;
    }
    violations_.require(owing_gradients_.erase(block.item->id) == 1, "gradient-unasked", what);
    check_wire(up_, block, what);
  }
  void check_wire(base::Picoseconds& free, const fabric::LaneBlock& block,
                  const std::string& what) {
    violations_.require(block.first >= base::now(), "past", what);
    violations_.require(block.first >= free, "overlap", what);
    violations_.require(block.last - block.first >= io_.transfer_time(block.bytes), "rate", what);
    free = block.last;
  }
  std::string text(const fabric::LaneBlock& block) const {
    return fmt::format("{}, item {}, {} bytes, {} .. {} ps at {}", name(), block.item->id,
                       block.bytes, block.first, block.last, base::now());
  }

  const fabric::IoConfig io_;
  Violations violations_;
  base::Picoseconds down_ = 0;  ///< the wire is free from then on
  base::Picoseconds up_ = 0;
  std::uint64_t shares_ = 0;
  std::uint64_t credits_ = 0;
  std::set<std::uint32_t> uncredited_;
  std::set<std::uint32_t> owing_gradients_;
};

/// Rules of the ramps of one region, both ways: frames in the order of their cycles, stamped when
/// they are sent, streams that do not end in the past, sums once for each item and part after its
/// weights, gradient credits only for gradients that have left. Stands between fabric and region.
class RampChecker final : public sc_core::sc_module {
 public:
  fabric::Fabric::RampTarget from_fabric{"from_fabric"};
  fabric::Fabric::RampInitiator to_region{"to_region"};
  fabric::Fabric::RampTarget from_region{"from_region"};
  fabric::Fabric::RampInitiator to_fabric{"to_fabric"};

  RampChecker(const sc_core::sc_module_name& name, const base::ClockEpochs& epochs)
      : sc_core::sc_module(name), epochs_(epochs) {
    from_fabric.on_receive([this](fabric::RampFrame& frame) {
      check_frame(frame, down_);
      for (const fabric::RampStream& stream : frame.streams) check_down(stream, frame.cycle);
      to_region.send(frame);
    });
    from_region.on_receive([this](fabric::RampFrame& frame) {
      check_frame(frame, up_);
      for (const fabric::RampStream& stream : frame.streams) check_up(stream, frame.cycle);
      to_fabric.send(frame);
    });
  }

  std::uint64_t frames() const { return frames_; }
  std::vector<std::string> violations() const {
    Violations all = violations_;
    all.require(working_.empty(), "sums-missing", std::to_string(working_.size()));
    all.require(leaving_.empty(), "gradient-credit-missing", std::to_string(leaving_.size()));
    return all.seen();
  }

 private:
  using Work = std::pair<std::uint32_t, std::uint32_t>;  ///< part, item
  using Kind = fabric::StreamKind;

  void check_frame(const fabric::RampFrame& frame, base::Cycles& before) {
    ++frames_;
    const base::Cycles now = epochs_.cycle_at_or_after(base::now());
    violations_.require(frame.cycle == now, "stamp", fmt::format("{} at {}", frame.cycle, now));
    violations_.require(frame.cycle >= before, "frame-order", std::to_string(frame.cycle));
    violations_.require(!frame.streams.empty() || !frame.wavelets.empty() || !frame.credits.empty(),
                        "empty", std::to_string(frame.cycle));
    before = frame.cycle;
  }
  void check_down(const fabric::RampStream& s, base::Cycles cycle) {
    const Work work{s.part, s.item->id};
    violations_.require(s.first_cycle <= s.last_cycle, "span", text(s));
    violations_.require(s.last_cycle >= cycle, "past", text(s));
    switch (s.kind) {
      case Kind::kWeights:
        violations_.require(working_.insert(work).second, "weights-twice", text(s));
        return;
      case Kind::kGradientCredit:
        violations_.require(leaving_.erase(work) == 1, "gradient-credit-unowed", text(s));
        return;
      case Kind::kResultsReady:
        violations_.require(s.item->ends_operation, "results-unasked", text(s));
        return;
      case Kind::kPartialSums:
        violations_.require(false, "kind", text(s));
    }
  }
  void check_up(const fabric::RampStream& s, base::Cycles cycle) {
    const Work work{s.part, s.item->id};
    violations_.require(s.kind == Kind::kPartialSums, "kind", text(s));
    violations_.require(s.first_cycle <= s.last_cycle, "span", text(s));
    violations_.require(s.last_cycle >= cycle, "past", text(s));
    violations_.require(working_.erase(work) == 1, "sums-before-weights", text(s));
    if (s.item->bytes_out() > 0) leaving_.insert(work);
  }
  std::string text(const fabric::RampStream& s) const {
    return fmt::format("{}, part {}, item {}, {} .. {}", name(), s.part, s.item->id, s.first_cycle,
                       s.last_cycle);
  }

  const base::ClockEpochs& epochs_;
  Violations violations_;
  base::Cycles down_ = 0;
  base::Cycles up_ = 0;
  std::uint64_t frames_ = 0;
  std::set<Work> working_;
  std::set<Work> leaving_;
};

}  // namespace wse::testing_support
