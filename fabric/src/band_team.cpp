// SPDX-License-Identifier: Apache-2.0
#include "band_team.h"

namespace wse::fabric {
namespace {

constexpr unsigned kSpins = 20'000;  // some tens of microseconds

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

BandTeam::BandTeam(std::uint32_t size)
    : spins_(size <= std::thread::hardware_concurrency() ? kSpins : 0) {
  for (std::uint32_t number = 1; number < size; ++number) {
    threads_.emplace_back([this, number] { serve(number); });
  }
}

BandTeam::~BandTeam() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
    ++round_;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void BandTeam::run(const std::function<void(std::uint32_t)>& work) {
  work_ = &work;
  busy_ = static_cast<std::uint32_t>(threads_.size());
  ++round_;
  if (sleepers_ != 0) {
    const std::lock_guard<std::mutex> lock(mutex_);
    wake_.notify_all();
  }
  work(0);
  // The others have as much to do: they are nearly done, unless the computer runs something else.
  for (unsigned spins = 0; busy_ != 0; ++spins) {
    if (spins < spins_) {
      relax();
    } else {
      std::this_thread::yield();
    }
  }
}

void BandTeam::wait_for_round(std::uint64_t last) {
  for (unsigned spins = 0; spins < spins_; ++spins) {
    if (round_ != last) return;
    relax();
  }
  std::unique_lock<std::mutex> lock(mutex_);
  ++sleepers_;
  wake_.wait(lock, [&] { return round_ != last; });
  --sleepers_;
}

void BandTeam::serve(std::uint32_t number) {
  for (std::uint64_t last = 0;; ++last) {
    wait_for_round(last);
    if (stop_) return;
    (*work_)(number);
    --busy_;
  }
}

}  // namespace wse::fabric
