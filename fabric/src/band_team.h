// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace wse::fabric {

/// Threads that do one piece of work each, again and again, with the caller as the first of them.
/// They spin for a moment between two rounds and then sleep, so that a busy computer is not kept
/// busier.
class BandTeam {
 public:
  /// work(i) is called for i = 0 .. size - 1 in each round; it must not throw.
  BandTeam(std::uint32_t size, std::function<void(std::uint32_t)> work);
  ~BandTeam();
  BandTeam(const BandTeam&) = delete;
  BandTeam& operator=(const BandTeam&) = delete;

  /// One round; returns when all have done their piece.
  void run();

 private:
  void serve(std::uint32_t number);
  /// Waits until the value differs from what it was.
  void wait_for_round(std::uint64_t last);

  const std::function<void(std::uint32_t)> work_;
  std::atomic<std::uint64_t> round_{0};
  std::atomic<std::uint32_t> busy_{0};
  std::atomic<std::uint32_t> sleepers_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> threads_;
};

}  // namespace wse::fabric
