// SPDX-License-Identifier: Apache-2.0
// Both sides of the socket, with the C client in a thread or a process: what each says when the
// other does not do its part, and never a wait without an end.
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <csignal>

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <future>
#include <thread>

#include "router_record.h"
#include "router_writes.h"
#include "support/run_command.h"
#include "wse/base/config_errors.h"
#include "wse/base/random.h"
#include "wse/cosim/remote_listener.h"
#include "wse/fabric/noc_run.h"
#include "wse_remote.h"

namespace wse::cosim {
namespace {

using fabric::kNumPorts;
using fabric::RouterPins;
using fabric::RouterSetup;
using testing_support::TemporaryFolder;

/// Three colors through all ports, five slots behind each output.
RouterSetup small_setup() {
  RouterSetup setup;
  setup.own_slots = 4;
  for (std::uint8_t color = 0; color < 3; ++color) {
    fabric::ColorRoute route(fabric::PortSet::from_bits(31),
                             fabric::PortSet::from_bits(5U << color));
    setup.routes[color] = route;
    for (auto& port : setup.slots) port[color] = 5;
  }
  return setup;
}

wse_remote_router small_router() {
  return {6, {5, 160, 25, 5, 5, 120, 5, 160, 25, 5, 5, 120, 1, 3, 5, 32, 5}};
}

/// How a client ended.
struct ClientEnd {
  int status = 0;  ///< 0 the run is over, -1 a failure
  std::uint64_t clocks = 0;
  std::string reason;
};

/// A client that gives what the model gives. `before` may spoil what it does in a clock.
ClientEnd serve(const std::string& path, const RouterSetup& setup,
                const std::function<void(wse_remote&)>& before = {}) {
  wse_remote remote;
  const wse_remote_router router = small_router();
  if (wse_remote_connect(&remote, path.c_str(), &router) != 0) return {-1, 0, remote.reason};
  const auto model = model_of(setup);
  int status = 1;
  while (status > 0) {
    if (before) before(remote);
    RouterRecord inputs;
    status = wse_remote_exchange(&remote, record_of(model->outputs()).data(), inputs.data());
    if (status > 0) model->clock(pins_of(inputs));
  }
  return {status, remote.clock, remote.reason};
}

class RemoteRouterTest : public ::testing::Test {
 protected:
  RemoteRouterTest() {
    setenv("WSE_REMOTE_TIMEOUT", "1.5", 1);
    setenv("WSE_REMOTE_CONNECT_TIMEOUT", "1.5", 1);
  }
  /// The listener of a run that has a third of a second for everything.
  std::unique_ptr<RemoteListener> listen(double seconds = 0.3) {
    return std::make_unique<RemoteListener>(path_, 1, RemoteWait{seconds, {}}, "--twin");
  }
  std::future<ClientEnd> client(std::function<void(wse_remote&)> before = {}) {
    return std::async(std::launch::async, [=] { return serve(path_, setup_, before); });
  }
  /// What a run of some clocks without traffic fails with.
  std::string failure(RemoteListener& listener) {
    try {
      const auto router = listener.accept("router (1,2), remote,", setup_);
      for (int clock = 0; clock < 20; ++clock) {
        router->outputs();
        router->clock({});
      }
      router->outputs();
    } catch (const RemoteError& error) {
      return error.what();
    }
    return "";
  }
  static void expect_part(const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << "\"" << part << "\" is not in: " << text;
  }
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  void TearDown() override { EXPECT_LT(seconds(), 2); }

  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  const RouterSetup setup_ = small_setup();
  TemporaryFolder folder_;
  const std::string path_ = folder_.file("router.sock");
};

TEST_F(RemoteRouterTest, PinsLieInARecordAsTheHeaderSays) {
  RouterPins pins;
  pins.links[1] = {true, {0x89abcdef, 19, true, false}};
  pins.links[4] = {true, {0x80000001, 3, false, true}};
  pins.credits[0] = 0x800001;
  pins.credits[4] = 0xc00000;
  RouterRecord expected{};
  const auto set = [&](std::size_t bit) {
    expected[bit / 8] = static_cast<std::uint8_t>(expected[bit / 8] | 1U << bit % 8);
  };
  for (const std::size_t bit : {1, 4}) set(bit);
  for (std::size_t b = 0; b < 32; ++b) {
    if ((0x89abcdefU >> b & 1) != 0) set(5 + 32 + b);
  }
  for (const std::size_t bit : {5 + 128, 5 + 128 + 31}) set(static_cast<std::size_t>(bit));
  for (const std::size_t bit : {165 + 5, 165 + 6, 165 + 9, 165 + 20, 165 + 21}) set(bit);
  set(190 + 1);
  set(195 + 4);
  for (const std::size_t bit : {200, 223, 296 + 22, 296 + 23}) set(bit);
  EXPECT_EQ(record_of(pins), expected);
  EXPECT_EQ(pins_of(expected), pins);
}

TEST_F(RemoteRouterTest, AClientThatIsTheModelGivesWhatTheModelGives) {
  auto listener = listen();
  auto end = client();
  auto router = listener->accept("router", setup_);
  const auto model = model_of(setup_);
  base::Random random(7);
  std::array<std::array<unsigned, 3>, kNumPorts> free{};
  for (auto& port : free) port.fill(setup_.own_slots);
  std::uint64_t given = 0;
  RouterPins last;
  for (int clock = 0; clock < 3000; ++clock) {
    const RouterPins outputs = model->outputs();
    ASSERT_EQ(router->outputs(), outputs) << clock;
    RouterPins inputs;
    for (std::size_t p = 0; p < kNumPorts; ++p) {
      given += outputs.links[p].valid ? 1 : 0;
      const auto color = static_cast<std::uint8_t>(random.below(3));
      if (free[p][color] > 0 && random.below(2) == 0) {
        --free[p][color];
        inputs.links[p] = {true, {static_cast<std::uint32_t>(random.next()), color, false, false}};
      }
      if (last.links[p].valid) inputs.credits[p] = 1U << last.links[p].wavelet.color;
      for (std::uint8_t c = 0; c < 3; ++c) free[p][c] += outputs.credits[p] >> c & 1;
    }
    last = outputs;
    router->clock(inputs);
    model->clock(inputs);
  }
  EXPECT_GT(given, 5000U);
  EXPECT_EQ(router->clocks(), 3000U);
  EXPECT_FALSE(std::filesystem::exists(path_)) << "nobody else is waited for";
  router.reset();
  const ClientEnd ended = end.get();
  EXPECT_EQ(ended.status, 0) << ended.reason;
  EXPECT_EQ(ended.clocks, 3000U);
}

TEST_F(RemoteRouterTest, AClientIsToldTheWritesAndTheMutant) {
  RouterSetup setup = small_setup();
  setup.mutant = 13;
  auto listener = listen();
  wse_remote remote;
  auto connected = std::async(std::launch::async, [&] {
    const wse_remote_router router = small_router();
    return wse_remote_connect(&remote, path_.c_str(), &router);
  });
  const auto router = listener->accept("router", setup);
  ASSERT_EQ(connected.get(), 0) << remote.reason;
  const std::vector<RouterWrite> writes = configuration_of(setup);
  EXPECT_EQ(remote.mutant, 13U);
  ASSERT_EQ(remote.count, writes.size());
  EXPECT_EQ(writes.size(), 1U + 3 * (1 + 3 + kNumPorts));
  for (std::size_t i = 0; i < writes.size(); ++i) {
    EXPECT_EQ(remote.writes[i].kind, writes[i].kind);
    EXPECT_EQ(remote.writes[i].color, writes[i].color);
    EXPECT_EQ(remote.writes[i].value, writes[i].value);
  }
  wse_remote_close(&remote);
}

TEST_F(RemoteRouterTest, NoClientInTimeIsAFailure) {
  auto listener = listen();
  const std::string text = failure(*listener);
  expect_part(text, "router (1,2), remote, no simulator came in 0.3 s");
  expect_part(text, "+wse_remote=" + path_);
  EXPECT_GE(seconds(), 0.3);
}

TEST_F(RemoteRouterTest, AClientThatIsKilledIsAFailure) {
  auto listener = listen(1.5);
  const pid_t child = fork();
  if (child == 0) {
    serve(path_, setup_, [](wse_remote& remote) {
      if (remote.clock == 7) raise(SIGKILL);
    });
    _exit(0);
  }
  expect_part(failure(*listener), "the simulator went away in clock 7");
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_LT(seconds(), 1.4) << "seen at once, not after the time for an answer";
}

TEST_F(RemoteRouterTest, ASlowClientIsAFailureAfterTheTimeForAnAnswer) {
  auto listener = listen();
  auto end = client([](wse_remote& remote) {
    if (remote.clock == 3) std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  });
  expect_part(failure(*listener), "the simulator has not answered clock 3 in 0.3 s");
  EXPECT_GE(seconds(), 0.3);
  EXPECT_LT(seconds(), 1.1) << "before it answers";
  expect_part(end.get().reason, "the model refuses: the simulator has not answered clock 3");
}

TEST_F(RemoteRouterTest, AClockThatIsSkippedIsAFailureOnBothSides) {
  auto listener = listen();
  auto end = client([](wse_remote& remote) {
    if (remote.clock == 5) ++remote.clock;
  });
  expect_part(failure(*listener), "the simulator is in clock 6, the model in clock 5");
  expect_part(end.get().reason, "the simulator is in clock 6, the model in clock 5");
}

TEST_F(RemoteRouterTest, AClientThatRefusesSaysWhy) {
  auto listener = listen();
  auto end = client([](wse_remote& remote) {
    if (remote.clock == 4) wse_remote_refuse(&remote, "an output of the router is x");
  });
  expect_part(failure(*listener), "the simulator refuses: an output of the router is x");
  EXPECT_EQ(end.get().status, -1);
}

TEST_F(RemoteRouterTest, WidthsThatAreNotOfTheContractAreNamedOnBothSides) {
  auto listener = listen();
  auto reason = std::async(std::launch::async, [&] {
    wse_remote remote;
    wse_remote_router router = small_router();
    router.widths[5] = 80;
    router.widths[14] = 4;
    EXPECT_EQ(wse_remote_connect(&remote, path_.c_str(), &router), -1);
    return std::string(remote.reason);
  });
  const std::string rule =
      "in_credit has 80 bits, must have 120; cfg_color has 4 bits, must have 5";
  expect_part(failure(*listener), rule);
  expect_part(reason.get(), "the model refuses: " + rule);
}

TEST_F(RemoteRouterTest, QueuesThatAreTooShortAreRefused) {
  RouterSetup setup = small_setup();
  setup.own_slots = 7;
  auto listener = listen();
  auto end = client();
  EXPECT_THROW(listener->accept("router", setup), RemoteError);
  expect_part(end.get().reason, "6 slots a queue are too few");
}

/// A socket that is bound or connected to a path.
int socket_at(const std::string& path, int (*join)(int, const sockaddr*, socklen_t)) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  EXPECT_EQ(join(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return fd;
}

/// The other side by hand: records that no client of this version sends.
class RawPeer {
 public:
  explicit RawPeer(int fd) : fd_(fd) {}
  ~RawPeer() { close(fd_); }
  static RawPeer to(const std::string& path) { return RawPeer(socket_at(path, connect)); }
  void send(unsigned type, std::uint64_t clock, std::size_t size, unsigned version) const {
    std::vector<std::uint8_t> record(WSE_REMOTE_HEADER + size);
    wse_remote_put_header(record.data(), type, static_cast<std::uint32_t>(size), clock);
    wse_remote_put(record.data() + 4, 2, version);
    ASSERT_EQ(::send(fd_, record.data(), record.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(record.size()));
  }
  /// Text of an ERROR record, after all that comes before it.
  std::string error() const {
    std::uint8_t header[WSE_REMOTE_HEADER];
    while (recv(fd_, header, sizeof header, MSG_WAITALL) == sizeof header) {
      std::string payload(wse_remote_get(header + 8, 4), ' ');
      recv(fd_, payload.data(), payload.size(), MSG_WAITALL);
      if (wse_remote_get(header + 6, 2) == WSE_REMOTE_ERROR) return payload;
    }
    return "no error";
  }

 private:
  int fd_;
};

TEST_F(RemoteRouterTest, AClientOfAnotherVersionIsRefused) {
  auto listener = listen();
  const RawPeer peer = RawPeer::to(path_);
  peer.send(WSE_REMOTE_HELLO, 0, WSE_REMOTE_HELLO_BYTES, 2);
  const std::string rule = "the simulator speaks version 2 of the records, this program version 1";
  expect_part(failure(*listener), rule);
  EXPECT_EQ(peer.error(), rule);
}

TEST_F(RemoteRouterTest, WhatIsNoRecordIsRefused) {
  auto listener = listen();
  const RawPeer peer = RawPeer::to(path_);
  peer.send(WSE_REMOTE_OUTPUTS, 0, 40, 1);
  expect_part(failure(*listener), "a record of type 4 with 40 bytes in clock 0, must be type 1");
  listener.reset();
  auto again = listen();
  const RawPeer chatter = RawPeer::to(path_);
  chatter.send(0, 0, 0, 0);
  expect_part(failure(*again), "speaks version 0");
}

TEST_F(RemoteRouterTest, ATextInPlaceOfARecordIsRefused) {
  auto listener = listen();
  const int fd = socket_at(path_, connect);
  const std::string text = "GET / HTTP/1.0 and some more";
  ASSERT_EQ(::send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  expect_part(failure(*listener), "is no record");
  close(fd);
}

/// What a client says to a model by hand.
ClientEnd client_of(const std::function<void(const RawPeer&)>& model, TemporaryFolder& folder) {
  const std::string path = folder.file("by_hand.sock");
  const int listening = socket_at(path, bind);
  EXPECT_EQ(listen(listening, 1), 0);
  auto end = std::async(std::launch::async, [&] { return serve(path, small_setup()); });
  {
    const RawPeer peer(accept(listening, nullptr, nullptr));
    model(peer);
  }
  const ClientEnd ended = end.get();
  close(listening);
  return ended;
}

TEST_F(RemoteRouterTest, AClientTellsWhatIsWrongWithTheModel) {
  std::string told;
  ClientEnd end = client_of(
      [&](const RawPeer& peer) {
        peer.send(WSE_REMOTE_SETUP, 0, 8, 9);
        told = peer.error();
      },
      folder_);
  EXPECT_EQ(end.reason, "the model speaks version 9, the client version 1");
  EXPECT_EQ(told, end.reason);
  run_command("rm by_hand.sock", folder_);
  end = client_of(
      [&](const RawPeer& peer) {
        peer.send(WSE_REMOTE_SETUP, 0, 8, 1);
        peer.send(WSE_REMOTE_CLOCK, 0, 40, 1);
        peer.send(WSE_REMOTE_CLOCK, 2, 40, 1);
        told = peer.error();
      },
      folder_);
  EXPECT_EQ(end.reason, "the model is in clock 2, the client in clock 1");
  EXPECT_EQ(told, end.reason);
}

TEST_F(RemoteRouterTest, AClientOutlivesAModelThatGoesOrIsSlow) {
  const ClientEnd gone = client_of(
      [&](const RawPeer& peer) {
        peer.send(WSE_REMOTE_SETUP, 0, 8, 1);
        peer.send(WSE_REMOTE_CLOCK, 0, 40, 1);
      },
      folder_);
  expect_part(gone.reason, "the model went away before clock 1");
  run_command("rm by_hand.sock", folder_);
  setenv("WSE_REMOTE_TIMEOUT", "0.2", 1);
  const ClientEnd slow = client_of(
      [&](const RawPeer& peer) {
        peer.send(WSE_REMOTE_SETUP, 0, 8, 1);
        std::this_thread::sleep_for(std::chrono::milliseconds(400));
      },
      folder_);
  expect_part(slow.reason, "the model has sent nothing for clock 0 in 0.2 s");
}

TEST_F(RemoteRouterTest, AClientWithoutAModelGivesUp) {
  setenv("WSE_REMOTE_CONNECT_TIMEOUT", "0.2", 1);
  const ClientEnd end = serve(path_, setup_);
  expect_part(end.reason, path_ + ": no model listens there after 0.2 s");
  EXPECT_GE(seconds(), 0.2);
}

TEST_F(RemoteRouterTest, AClientMayComeBeforeTheModel) {
  auto end = client();
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  auto listener = listen();
  EXPECT_EQ(failure(*listener), "");
  EXPECT_EQ(end.get().status, 0);
}

TEST_F(RemoteRouterTest, ARunThatFailsElsewhereFailsForTheClientToo) {
  auto listener = listen();
  auto end = client();
  try {
    const auto router = listener->accept("router", setup_);
    router->clock({});
    throw std::runtime_error("deadlock");
  } catch (const std::runtime_error&) {
  }
  const ClientEnd ended = end.get();
  EXPECT_EQ(ended.status, -1);
  expect_part(ended.reason, "the run has failed elsewhere");
}

std::atomic<bool> g_stopped{false};

TEST_F(RemoteRouterTest, TheUserEndsAWait) {
  struct sigaction action {};
  action.sa_handler = [](int) { g_stopped = true; };
  sigaction(SIGUSR1, &action, nullptr);
  RemoteListener listener(path_, 1, {30, [] { return g_stopped.load(); }}, "--twin");
  const auto stop_soon = [main = pthread_self()] {
    return std::async(std::launch::async, [main] {
      std::this_thread::sleep_for(std::chrono::milliseconds(150));
      pthread_kill(main, SIGUSR1);
    });
  };
  auto stop = stop_soon();
  EXPECT_THROW(listener.accept("router", setup_), fabric::Interrupted) << "none has come";
  stop.get();
  g_stopped = false;
  auto end = client([](wse_remote& remote) {
    if (remote.clock == 2) std::this_thread::sleep_for(std::chrono::milliseconds(600));
  });
  const auto router = listener.accept("router", setup_);
  stop = stop_soon();
  EXPECT_THROW(for (int clock = 0; clock < 5; ++clock) router->clock({}), fabric::Interrupted)
      << "it does not answer";
  EXPECT_THROW(router->outputs(), RemoteError) << "and is not asked again";
  expect_part(end.get().reason, "the run was interrupted");
}

TEST_F(RemoteRouterTest, WhatAnEarlierRunHasLeftIsReplacedAndNothingElse) {
  const auto refusal = [&](const std::string& path) -> std::string {
    try {
      RemoteListener(path, 1, {}, "--twin");
    } catch (const base::ConfigError& error) {
      return error.what();
    }
    return "";
  };
  close(socket_at(path_, bind));
  ASSERT_TRUE(std::filesystem::exists(path_));
  {
    auto listener = listen();
    expect_part(refusal(path_), "is in use by another process");
    auto end = client();
    EXPECT_EQ(failure(*listener), "") << "which has not noticed";
    EXPECT_EQ(end.get().status, 0);
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
  { auto listener = listen(); }
  EXPECT_FALSE(std::filesystem::exists(path_)) << "without a client as well";
  expect_part(refusal(folder_.write("file", "text")), "is there already and is no socket");
  EXPECT_EQ(testing_support::read_file(folder_.file("file")), "text");
  expect_part(refusal(folder_.file(std::string(120, 'x'))), "must be a path of 1 .. 107 bytes");
  expect_part(refusal(folder_.file("none/s")), "cannot be listened at: No such file");
}

}  // namespace
}  // namespace wse::cosim
