// SPDX-License-Identifier: Apache-2.0
#include "wse/cosim/remote_listener.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "wse/base/config_errors.h"
#include "wse/fabric/noc_run.h"

namespace wse::cosim {

namespace {

sockaddr_un address_of(const std::string& path, const std::string& what) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    throw base::ConfigError(
        what, path,
        fmt::format("must be a path of 1 .. {} bytes, as unix sockets have them",
                    sizeof address.sun_path - 1));
  }
  std::copy(path.begin(), path.end(), address.sun_path);
  return address;
}

const sockaddr* base_of(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

/// A socket that nobody listens at is what an earlier run has left. Asked with a datagram socket:
/// one that is in use answers that its kind is another, and does not see a client.
void remove_stale(const sockaddr_un& address, const std::string& path, const std::string& what) {
  struct stat found;
  if (lstat(path.c_str(), &found) != 0) return;
  if (!S_ISSOCK(found.st_mode)) {
    throw base::ConfigError(what, path, "is there already and is no socket");
  }
  const int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool stale = connect(probe, base_of(address), sizeof address) != 0 && errno == ECONNREFUSED;
  ::close(probe);
  if (!stale) throw base::ConfigError(what, path, "is in use by another process");
  unlink(path.c_str());
}

}  // namespace

RemoteListener::RemoteListener(const std::string& path, std::size_t clients, RemoteWait wait,
                               const std::string& what)
    : path_(path), wait_(std::move(wait)), clients_(clients) {
  const sockaddr_un address = address_of(path, what);
  remove_stale(address, path, what);
  const int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(made, base_of(address), sizeof address) != 0 || listen(made, SOMAXCONN) != 0) {
    const std::string reason = std::strerror(errno);
    ::close(made);
    throw base::ConfigError(what, path, "cannot be listened at: " + reason);
  }
  socket_ = made;
}

RemoteListener::~RemoteListener() { close(); }

void RemoteListener::close() {
  if (socket_ < 0) return;
  unlink(path_.c_str());
  ::close(socket_);
  socket_ = -1;
}

int RemoteListener::wait_for_client(const std::string& name) const {
  using Clock = std::chrono::steady_clock;
  for (;;) {
    const std::chrono::duration<double> passed = Clock::now() - start_;
    const double left = std::max(0.0, wait_.seconds - passed.count());
    pollfd waits{socket_, POLLIN, 0};
    const int ready = poll(&waits, 1, static_cast<int>(std::min(left * 1000 + 1, 1e9)));
    if (ready > 0) return ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    if (ready < 0 && wait_.interrupted && wait_.interrupted()) throw fabric::Interrupted();
    if (left > 0) continue;
    throw RemoteError(
        fmt::format("{} no simulator came in {:g} s; start one with +wse_remote={}, see "
                    "cosim/remote/wse_remote.sv",
                    name, wait_.seconds, path_));
  }
}

std::unique_ptr<RemoteRouter> RemoteListener::accept(const std::string& name,
                                                     const fabric::RouterSetup& setup) {
  if (socket_ < 0) throw RemoteError(name + " its simulator was there for one run only");
  const int connected = wait_for_client(name);
  if (connected < 0) {
    throw RemoteError(fmt::format("{} no connection: {}", name, std::strerror(errno)));
  }
  auto router = std::make_unique<RemoteRouter>(connected, name, setup, wait_);
  if (--clients_ == 0) close();
  return router;
}

}  // namespace wse::cosim
