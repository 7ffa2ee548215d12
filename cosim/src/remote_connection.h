// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "wse/cosim/remote_router.h"

namespace wse::cosim {

/// Records to and from one client, each checked for magic, version, length and clock. A failure is
/// told to the client, ends the connection and throws a RemoteError.
class RemoteConnection {
 public:
  /// Owns the socket.
  RemoteConnection(int connected_socket, std::string name, const RemoteWait& wait);
  ~RemoteConnection();
  RemoteConnection(const RemoteConnection&) = delete;
  RemoteConnection& operator=(const RemoteConnection&) = delete;

  /// A client that has gone is seen by the next receive(), which can tell why.
  void send(unsigned type, std::uint64_t clock, const std::uint8_t* payload, std::size_t size);
  /// The payload of a record of this type, clock and size.
  std::vector<std::uint8_t> receive(unsigned type, std::uint64_t clock, std::size_t size);
  /// Says why to the client and throws.
  [[noreturn]] void refuse(const std::string& reason);
  /// Says why to the client and ends the connection.
  void tell(const std::string& reason);
  bool open() const { return socket_ >= 0; }

 private:
  [[noreturn]] void fail(const std::string& reason);
  [[noreturn]] void stop();
  void receive_bytes(std::uint8_t* bytes, std::size_t size, std::uint64_t clock);
  void close();

  int socket_;
  const std::string name_;
  const RemoteWait wait_;
};

}  // namespace wse::cosim
