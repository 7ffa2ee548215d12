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
/// busier; more of them than the computer has cores sleep at once.
class BandTeam {
 public:
  explicit BandTeam(std::uint32_t size);
  ~BandTeam();
  BandTeam(const BandTeam&) = delete;
  BandTeam& operator=(const BandTeam&) = delete;

  /// One round: work(i) for i = 0 .. size - 1, which must not throw; returns when all are done.
  void run(const std::function<void(std::uint32_t)>& work);

 private:
  void serve(std::uint32_t number);
  /// Waits until the value differs from what it was.
  void wait_for_round(std::uint64_t last);

  const std::function<void(std::uint32_t)>* work_ = nullptr;  ///< of this round
  const unsigned spins_;
  std::atomic<std::uint64_t> round_{0};
  std::atomic<std::uint32_t> busy_{0};
  std::atomic<std::uint32_t> sleepers_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> threads_;
};

}  // namespace wse::fabric
