// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/region_core.h"

#include <algorithm>

#include "wse/base/check.h"

namespace wse::tiles {

using base::Cycles;
using base::WorkItem;
using fabric::RampStream;
using fabric::StreamKind;

PartCore::PartCore(const base::RegionPart& part, const base::Mapping& mapping,
                   const TileConfig& config, Precision precision)
    : part_(part), mapping_(mapping), config_(config), precision_(precision) {}

void PartCore::receive(const RampStream& stream) {
  switch (stream.kind) {
    case StreamKind::kWeights:
      WSE_CHECK(queue_.empty() || queue_.back().item->id < stream.item->id, "items come in order");
      queue_.push_back({stream.item, stream.first_cycle, stream.last_cycle});
      return;
    case StreamKind::kResultsReady:
      WSE_CHECK(!results_item_ || *results_item_ < stream.item->id, "results come in order");
      results_item_ = stream.item->id;
      results_cycle_ = stream.first_cycle;
      return;
    case StreamKind::kGradientCredit:
      gradient_credits_.push_back(stream.first_cycle);
      return;
    case StreamKind::kPartialSums:
      break;
  }
  WSE_CHECK(false, "a region receives weights, results and credits only");
}

bool PartCore::results_known(const WorkItem& item) const {
  return !item.begins_operation || !last_end_ || (results_item_ && *results_item_ >= *last_end_);
}

std::optional<RampStream> PartCore::next_done() {
  if (queue_.empty()) return std::nullopt;
  const Pending pending = queue_.front();
  if (!results_known(*pending.item)) return std::nullopt;
  const bool needs_buffer =
      pending.item->bytes_out() > 0 && gradients_out_ == config_.gradient_buffers;
  if (needs_buffer && gradient_credits_.empty()) return std::nullopt;
  queue_.pop_front();
  return execute(pending);
}

const PartCore::Course& PartCore::course_of(const WorkItem& item) {
  constexpr std::size_t kRemembered = 32;  // a layer on its way back has about as many
  for (std::size_t i = 0; i < courses_.size(); ++i) {
    if (last_course_ >= courses_.size()) last_course_ = 0;
    const Course& course = courses_[last_course_];
    if (course.item.same_work(item)) return course;
    ++last_course_;
  }
  if (courses_.size() < kRemembered) courses_.resize(courses_.size() + 1);
  last_course_ = oldest_course_;
  Course& course = courses_[oldest_course_];
  oldest_course_ = (oldest_course_ + 1) % kRemembered;
  course.item = item;
  const base::Mapping mapping = mapping_.with_copies(item.copies);
  course.cycles = cycles_of(item, mapping, config_, precision_);
  const CauseEvents by = events_by_cause(item, mapping, config_, precision_, part_.tiles);
  course.events = sum_of(by);
  tally_.replace(static_cast<std::size_t>(&course - courses_.data()), item.phase, by);
  course.multiply_adds = tiles::multiply_adds(item, mapping, part_.tiles);
  return course;
}

RampStream PartCore::execute(const Pending& pending) {
  const WorkItem& item = *pending.item;
  if (item.begins_operation && last_end_)
    time_.spend(results_cycle_, item.phase, Cause::kResultWait, item.place());
  if (item.bytes_out() > 0) {
    if (gradients_out_ == config_.gradient_buffers) {
      time_.spend(gradient_credits_.front(), item.phase, Cause::kGradientWait, item.place());
      gradient_credits_.pop_front();
      --gradients_out_;
    }
    ++gradients_out_;
  }
  time_.spend(pending.first, item.phase, Cause::kWeightWait, item.place());
  const Cycles start = time_.free_at();
  const Course& course = course_of(item);
  for (std::size_t cause = 0; cause < kNumCauses; ++cause) {
    time_.spend(time_.free_at() + course.cycles[cause], item.phase, static_cast<Cause>(cause),
                item.place());
  }
  time_.spend(std::max(pending.last, start + 1), item.phase, Cause::kWeightWait, item.place());
  events_.add(item.phase, start, time_.free_at(), course.events);
  tally_.count(static_cast<std::size_t>(&course - courses_.data()));
  multiply_adds_ += course.multiply_adds;
  resident_bytes_ = item.resident_bytes;
  ++items_;
  if (item.ends_operation) last_end_ = item.id;
  RampStream done;
  done.kind = StreamKind::kPartialSums;
  done.part = part_.index;
  done.item = &item;
  done.first_cycle = start;
  done.last_cycle = time_.free_at();
  if (watch_ != nullptr && !watch_->seen && watch_->item == item.id) {
    *watch_ = {item.id, watch_->tile, true, pending.first, pending.last, start, time_.free_at()};
  }
  return done;
}

const PartWindow& PartCore::take_until(Cycles until) {
  window_.events = events_.take_until(until);
  time_.take_until(until, window_.cycles, window_.segments);
  return window_;
}

void PartCore::begin_step(Cycles cycle) {
  WSE_CHECK(queue_.empty(), "a step begins when the one before has ended");
  time_.begin(cycle);
  last_end_.reset();
  results_item_.reset();
  gradients_out_ = 0;
  gradient_credits_.clear();
}

void PartCore::end_step(Cycles cycle) {
  WSE_CHECK(queue_.empty() && time_.free_at() <= cycle, "a step ends after its work");
  time_.spend(cycle, base::Phase::kUpdate, Cause::kUpdateWait, 0);
}

}  // namespace wse::tiles
