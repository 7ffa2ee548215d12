// SPDX-License-Identifier: Apache-2.0
#include "wse/model/io_bound.h"

#include <algorithm>
#include <cmath>
#include <deque>

#include "wse/tiles/cost_terms.h"

namespace wse::model {
namespace {

using base::Operation;
using base::Phase;
using base::WorkItem;

/// Seconds in which tiles wait for lanes.
struct Waits {
  std::array<double, base::kNumPhases> in{};
  std::array<double, base::kNumPhases> out{};

  double total() const {
    double sum = 0;
    for (std::size_t p = 0; p < base::kNumPhases; ++p) sum += in[p] + out[p];
    return sum;
  }
};

/// Work of the tiles, item by item.
class Work {
 public:
  Work(const std::vector<WorkItem>& schedule, const base::Mapping& mapping,
       const MachineConfig& machine, tiles::Precision precision)
      : schedule_(schedule), mapping_(mapping), machine_(machine), precision_(precision) {}

  /// Seconds of the items with `proportion` times the tokens; those of all experts grow alike.
  std::vector<double> seconds(double proportion) {
    std::vector<double> all;
    all.reserve(schedule_.size());
    for (const WorkItem& item : schedule_) {
      WorkItem scaled = item;
      for (std::uint64_t* count : {&scaled.tokens, &scaled.most_tokens, &scaled.masked_cycles}) {
        *count =
            static_cast<std::uint64_t>(std::ceil(static_cast<double>(*count) * proportion - 1e-6));
      }
      all.push_back(static_cast<double>(cycles(scaled)) / static_cast<double>(machine_.core_hz));
    }
    return all;
  }

 private:
  /// Blocks of a matrix are alike: the last item of each operation is remembered.
  base::Cycles cycles(const WorkItem& item) {
    Known& known = known_[static_cast<std::size_t>(item.operation)];
    if (!known.filled || !known.item.same_work(item)) {
      known.filled = true;
      known.item = item;
      known.cycles = tiles::total(
          tiles::cycles_of(item, mapping_.with_copies(item.copies), machine_.tile, precision_));
    }
    return known.cycles;
  }

  struct Known {
    bool filled = false;
    WorkItem item;
    base::Cycles cycles = 0;
  };
  const std::vector<WorkItem>& schedule_;
  const base::Mapping mapping_;
  const MachineConfig& machine_;
  const tiles::Precision precision_;
  std::array<Known, static_cast<std::size_t>(Operation::kRedistribute) + 1> known_{};
};

/// Goes through a step as host and tiles do, in seconds and without latencies.
class Walk {
 public:
  Walk(const std::vector<WorkItem>& schedule, const std::vector<double>& work,
       base::Bytes buffer_bytes, std::uint32_t gradient_buffers, double bytes_per_second)
      : schedule_(schedule),
        work_(work),
        buffer_bytes_(buffer_bytes),
        gradient_buffers_(gradient_buffers),
        bytes_per_second_(bytes_per_second) {}

  Waits go() {
    for (std::size_t i = 0; i < schedule_.size(); ++i) pass(schedule_[i], work_[i]);
    return waits_;
  }

 private:
  double transfer(base::Bytes bytes) const {
    return static_cast<double>(bytes) / bytes_per_second_;
  }

  void pass(const WorkItem& item, double work) {
    const double sent = make_room(item.bytes_in());
    const double arrived = lanes_in_ = sent + transfer(item.bytes_in());
    const auto phase = static_cast<std::size_t>(item.phase);
    if (item.bytes_out() > 0) await_gradients(waits_.out[phase]);
    await(sent, waits_.in[phase]);
    now_ += work;
    await(arrived, waits_.in[phase]);
    ahead_.push_back({item.bytes_in(), now_});
    ahead_bytes_ += item.bytes_in();
    if (item.bytes_out() == 0) return;
    lanes_out_ = std::max(lanes_out_, now_) + transfer(item.bytes_out());
    leaving_.push_back(lanes_out_);
  }
  void await(double time, double& wait) {
    wait += std::max(0.0, time - now_);
    now_ = std::max(now_, time);
  }
  void await_gradients(double& wait) {
    if (leaving_.size() < gradient_buffers_) return;
    await(leaving_.front(), wait);
    leaving_.pop_front();
  }
  /// When the lanes begin to send: as soon as enough of what came before has been used up.
  double make_room(base::Bytes bytes) {
    double from = lanes_in_;
    while (!ahead_.empty() && ahead_bytes_ > 0 && ahead_bytes_ + bytes > buffer_bytes_) {
      from = std::max(from, ahead_.front().used);
      ahead_bytes_ -= ahead_.front().bytes;
      ahead_.pop_front();
    }
    return from;
  }

  struct Sent {
    base::Bytes bytes;
    double used;  ///< when its work ended
  };
  const std::vector<WorkItem>& schedule_;
  const std::vector<double>& work_;
  const base::Bytes buffer_bytes_;
  const std::uint32_t gradient_buffers_;
  const double bytes_per_second_;
  double now_ = 0;
  double lanes_in_ = 0;
  double lanes_out_ = 0;
  std::deque<Sent> ahead_;
  base::Bytes ahead_bytes_ = 0;
  std::deque<double> leaving_;
  Waits waits_;
};

double sum_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum;
}

/// The smallest number, a ten-thousandth apart, with which `binds` is false; it is true below. 0 if there is
/// none below a million.
template <class Binds>
double smallest_that_frees(const Binds& binds) {
  constexpr double kMost = 1 << 20;
  double enough = 1;
  double too_few = 0;
  if (binds(enough)) {
    for (too_few = 1, enough = 2; enough < kMost && binds(enough); enough *= 2) too_few = enough;
    if (enough >= kMost) return 0;
  } else {
    for (too_few = 0.5; too_few > 1 / kMost && !binds(too_few); too_few /= 2) enough = too_few;
  }
  while (enough - too_few > 1e-4 * enough) {
    const double middle = (enough + too_few) / 2;
    (binds(middle) ? too_few : enough) = middle;
  }
  return enough;
}

void name_largest(const Waits& waits, IoBound& bound) {
  double most = -1;
  for (std::size_t p = 0; p < base::kNumPhases; ++p) {
    for (const bool out : {false, true}) {
      const double seconds = out ? waits.out[p] : waits.in[p];
      if (seconds <= most) continue;
      most = seconds;
      bound.phase = static_cast<Phase>(p);
      bound.outwards = out;
    }
  }
}

std::uint64_t rounded_up(double value) {
  constexpr double kMost = 1e18;
  return static_cast<std::uint64_t>(std::ceil(std::min(value, kMost)));
}

}  // namespace

IoBound io_bound_of(const std::vector<WorkItem>& schedule, const base::Mapping& mapping,
                    const MachineConfig& machine, const fabric::IoConfig& io,
                    tiles::Precision precision) {
  constexpr double kWaveletBytes = 4;
  const double payload = static_cast<double>(io.payload_bits_per_second()) * io.lanes / 8;
  Work tiles(schedule, mapping, machine, precision);
  const std::vector<double> work = tiles.seconds(1);
  const auto waits = [&](const std::vector<double>& seconds, double rate) {
    return Walk(schedule, seconds, io.buffer_bytes, machine.tile.gradient_buffers, rate * payload)
        .go();
  };
  IoBound b;
  b.tiles_seconds = sum_of(work);
  const double allowed = IoBound::kShare * b.tiles_seconds;
  const Waits present = waits(work, 1);
  b.waits_seconds = present.total();
  b.bound = b.waits_seconds > allowed;
  name_largest(present, b);
  for (const WorkItem& item : schedule) b.tokens = std::max(b.tokens, item.tokens);
  b.factor = smallest_that_frees([&](double rate) { return waits(work, rate).total() > allowed; });
  if (b.factor > 0) b.freed_step_seconds = b.tiles_seconds + waits(work, b.factor).total();
  b.bits_per_second = b.factor * static_cast<double>(io.bits_per_second) * io.lanes;
  b.edge_ports_per_lane = rounded_up(b.factor * payload / io.lanes /
                                     (kWaveletBytes * static_cast<double>(machine.core_hz)));
  if (!b.bound) return b;
  b.tokens_needed = rounded_up(smallest_that_frees([&](double proportion) {
                                 const std::vector<double> more = tiles.seconds(proportion);
                                 return waits(more, 1).total() > IoBound::kShare * sum_of(more);
                               }) *
                               static_cast<double>(b.tokens));
  return b;
}

}  // namespace wse::model
