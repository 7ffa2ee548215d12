// SPDX-License-Identifier: Apache-2.0
#include "remote_connection.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>

#include "wse/fabric/noc_run.h"
#include "wse_remote.h"

namespace wse::cosim {

namespace {

/// Never 0, which would be for ever.
timeval time_of(double seconds) {
  timeval t;
  t.tv_sec = static_cast<time_t>(seconds);
  t.tv_usec = static_cast<suseconds_t>(std::fmod(seconds, 1) * 999'998) + 1;
  return t;
}

}  // namespace

RemoteConnection::RemoteConnection(int connected_socket, std::string name, const RemoteWait& wait)
    : socket_(connected_socket), name_(std::move(name)), wait_(wait) {
  const timeval t = time_of(wait.seconds);
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}

RemoteConnection::~RemoteConnection() { close(); }

void RemoteConnection::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

void RemoteConnection::fail(const std::string& reason) {
  close();
  throw RemoteError(name_ + " " + reason);
}

void RemoteConnection::tell(const std::string& reason) {
  send(WSE_REMOTE_ERROR, 0, reinterpret_cast<const std::uint8_t*>(reason.data()), reason.size());
  close();
}

void RemoteConnection::refuse(const std::string& reason) {
  tell(reason);
  fail(reason);
}

/// The user has ended the run.
void RemoteConnection::stop() {
  tell("the run was interrupted");
  throw fabric::Interrupted();
}

void RemoteConnection::send(unsigned type, std::uint64_t clock, const std::uint8_t* payload,
                            std::size_t size) {
  std::uint8_t record[WSE_REMOTE_HEADER + WSE_REMOTE_MOST_PAYLOAD];
  wse_remote_put_header(record, type, static_cast<std::uint32_t>(size), clock);
  if (size > 0) std::memcpy(record + WSE_REMOTE_HEADER, payload, size);
  const std::size_t end = WSE_REMOTE_HEADER + size;
  for (std::size_t done = 0; done < end;) {
    const ssize_t sent = ::send(socket_, record + done, end - done, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return;
    done += static_cast<std::size_t>(sent);
  }
}

void RemoteConnection::receive_bytes(std::uint8_t* bytes, std::size_t size, std::uint64_t clock) {
  using Clock = std::chrono::steady_clock;
  if (socket_ < 0) fail("the connection has ended");
  const Clock::time_point limit = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                     std::chrono::duration<double>(wait_.seconds));
  for (std::size_t done = 0; done < size;) {
    const ssize_t got = recv(socket_, bytes + done, size - done, MSG_WAITALL);
    if (got == 0 || (got < 0 && errno == ECONNRESET)) {
      fail(fmt::format("the simulator went away in clock {}", clock));
    }
    if (got > 0) done += static_cast<std::size_t>(got);
    if (got < 0 && errno == EINTR) {
      if (wait_.interrupted && wait_.interrupted()) stop();
    } else if (got < 0 && errno != EAGAIN) {
      fail(fmt::format("nothing can be received in clock {}: {}", clock, std::strerror(errno)));
    }
    if (done < size && Clock::now() >= limit) {
      refuse(
          fmt::format("the simulator has not answered clock {} in {:g} s", clock, wait_.seconds));
    }
  }
}

std::vector<std::uint8_t> RemoteConnection::receive(unsigned type, std::uint64_t clock,
                                                    std::size_t size) {
  std::uint8_t header[WSE_REMOTE_HEADER];
  receive_bytes(header, sizeof header, clock);
  if (wse_remote_get(header, 4) != WSE_REMOTE_MAGIC) {
    refuse(fmt::format("what the simulator sends in clock {} is no record", clock));
  }
  const std::uint64_t version = wse_remote_get(header + 4, 2);
  const std::uint64_t its_type = wse_remote_get(header + 6, 2);
  const std::uint64_t its_size = wse_remote_get(header + 8, 4);
  const std::uint64_t its_clock = wse_remote_get(header + 16, 8);
  if (version != WSE_REMOTE_VERSION) {
    refuse(fmt::format("the simulator speaks version {} of the records, this program version {}",
                       version, WSE_REMOTE_VERSION));
  }
  if (its_type == WSE_REMOTE_ERROR && its_size <= WSE_REMOTE_MOST_PAYLOAD) {
    std::string text(its_size, ' ');
    receive_bytes(reinterpret_cast<std::uint8_t*>(text.data()), its_size, clock);
    fail("the simulator refuses: " + text);
  }
  if (its_type != type || its_size != size) {
    refuse(fmt::format("a record of type {} with {} bytes in clock {}, must be type {} with {}",
                       its_type, its_size, clock, type, size));
  }
  if (its_clock != clock) {
    refuse(fmt::format("the simulator is in clock {}, the model in clock {}", its_clock, clock));
  }
  std::vector<std::uint8_t> payload(size);
  receive_bytes(payload.data(), size, clock);
  return payload;
}

}  // namespace wse::cosim
