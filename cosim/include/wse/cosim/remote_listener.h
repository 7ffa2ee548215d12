// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "wse/cosim/remote_router.h"

namespace wse::cosim {

/// A unix socket that simulators of routers connect to, one each.
class RemoteListener {
 public:
  /// Listens at once, so that simulators may come before they are asked for; what an earlier run
  /// has left at the path is replaced. Throws a ConfigError for `what` if the path is too long,
  /// cannot be bound, is that of another run or is no socket.
  RemoteListener(const std::string& path, std::size_t clients, RemoteWait wait,
                 const std::string& what);
  /// Removes the path.
  ~RemoteListener();
  RemoteListener(const RemoteListener&) = delete;
  RemoteListener& operator=(const RemoteListener&) = delete;

  /// The next client, in the order in which they came. All have the same time to come, counted from
  /// the start. `name`: for messages, such as `router (3,4), remote:unix:PATH,`. Throws a
  /// RemoteError.
  std::unique_ptr<RemoteRouter> accept(const std::string& name, const fabric::RouterSetup& setup);

  const std::string& path() const { return path_; }

 private:
  void close();
  int wait_for_client(const std::string& name) const;

  const std::string path_;
  const RemoteWait wait_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::size_t clients_;  ///< still to come; after the last nobody is heard
  int socket_ = -1;
};

}  // namespace wse::cosim
