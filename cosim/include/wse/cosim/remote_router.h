// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "wse/fabric/router_setup.h"
#include "wse/fabric/router_twin.h"

namespace wse::cosim {

/// A simulator in another process did not do its part; what() tells which, when and how. The run
/// has failed: exit status 1.
class RemoteError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// How a simulator in another process is waited for.
struct RemoteWait {
  double seconds = 60;                ///< for it to come, and for each of its answers
  std::function<bool()> interrupted;  ///< asked when a signal ends a wait: fabric::Interrupted
};

class RemoteConnection;

/// A router in a simulator of another process, behind the one-clock contract: the model's side of
/// cosim/remote/wse_remote.h. It has no router of its own: outputs() are those of the last answer.
///
/// clock() asks and outputs() waits for the answer, so that the simulators of several routers work
/// at the same time. Both throw a RemoteError. Clocks are numbered as they come, from 0.
class RemoteRouter final : public fabric::RouterTwin {
 public:
  /// A client that has just connected; takes its hello and sends its setup. `name`: for messages.
  RemoteRouter(int connected_socket, const std::string& name, const fabric::RouterSetup& setup,
               const RemoteWait& wait);
  /// Tells the client that the run is over, or that it has failed.
  ~RemoteRouter() override;
  RemoteRouter(const RemoteRouter&) = delete;
  RemoteRouter& operator=(const RemoteRouter&) = delete;

  fabric::RouterPins outputs() const override;
  void clock(const fabric::RouterPins& inputs) override;

  std::uint64_t clocks() const { return clocks_; }

 private:
  void take_hello(const fabric::RouterSetup& setup);
  void send_setup(const fabric::RouterSetup& setup);
  void take_outputs() const;

  std::unique_ptr<RemoteConnection> connection_;
  const int exceptions_;  ///< under way at the start
  std::uint64_t clocks_ = 0;
  mutable bool awaited_ = true;  ///< outputs_ have not come yet
  mutable fabric::RouterPins outputs_;
};

}  // namespace wse::cosim
