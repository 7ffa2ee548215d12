// SPDX-License-Identifier: Apache-2.0
#include "twin_bench.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "wse/base/host_usage.h"
#include "wse/cosim/router_twins.h"
#include "wse/fabric/channel_fabric.h"
#include "wse/fabric/noc_run.h"

namespace wse::cli {
namespace {

using fabric::RouterPins;
using fabric::RouterTwin;

constexpr std::uint32_t kTile = 5;  // of 4 x 4: traffic from all sides

/// Keeps what a router is given.
class Recorder final : public RouterTwin {
 public:
  Recorder(std::unique_ptr<RouterTwin> twin, std::vector<RouterPins>& inputs)
      : twin_(std::move(twin)), inputs_(inputs) {}
  RouterPins outputs() const override { return twin_->outputs(); }
  void clock(const RouterPins& inputs) override {
    inputs_.push_back(inputs);
    twin_->clock(inputs);
  }

 private:
  std::unique_ptr<RouterTwin> twin_;
  std::vector<RouterPins>& inputs_;
};

fabric::NocConfig traffic() {
  fabric::NocConfig config;
  config.traffic.mesh = {4, 4};
  config.traffic.pattern = fabric::Pattern::kHalo;
  config.traffic.rate = 0.3;
  config.traffic.cycles = 100'000;
  return config;
}

double seconds_of(const std::function<void()>& run) {
  const double before = base::host_usage().cpu_seconds;
  run();
  return base::host_usage().cpu_seconds - before;
}

}  // namespace

nlohmann::ordered_json measure_twin() {
  const cosim::RouterTwinKind& kind = cosim::router_twin("router", "--measure");
  fabric::NocConfig plain = traffic();
  fabric::RouterSetup setup;
  std::vector<RouterPins> inputs;
  const auto with = [&](bool records) {
    fabric::NocConfig config = traffic();
    config.put_twins = [&, records](fabric::ChannelFabric& fabric,
                                    const fabric::RouteTable& routes) {
      setup = fabric::router_setup(routes, kTile, plain.engine);
      auto twin = cosim::make_router_twin(kind, setup);
      if (records) twin = std::make_unique<Recorder>(std::move(twin), inputs);
      fabric.set_twin(kTile, std::move(twin));
    };
    return config;
  };
  fabric::run_noc(with(true));
  std::vector<double> added;
  std::vector<double> alone;
  std::vector<double> ratios;
  for (int repeat = 0; repeat < 7; ++repeat) {
    const double without = seconds_of([&] { fabric::run_noc(plain); });
    const double twin = seconds_of([&] { fabric::run_noc(with(false)); });
    auto router = cosim::make_router_twin(kind, setup);
    std::uint64_t given = 0;
    alone.push_back(seconds_of([&] {
      for (const RouterPins& pins : inputs) {
        given += router->outputs().credits[0];
        router->clock(pins);
      }
    }));
    added.push_back(twin - without);
    ratios.push_back(added.back() / alone.back());
    if (given == 0) ratios.back() = 0;  // it has done nothing
  }
  const auto median = [](std::vector<double> all) {
    std::nth_element(all.begin(), all.begin() + static_cast<long>(all.size() / 2), all.end());
    return all[all.size() / 2];
  };
  const auto clocks = static_cast<double>(inputs.size());
  return {{"clocks", inputs.size()},
          {"added_ns_a_clock", median(added) / clocks * 1e9},
          {"alone_ns_a_clock", median(alone) / clocks * 1e9},
          {"ratio", median(ratios)},
          {"host_cpu_seconds", base::host_usage().cpu_seconds}};
}

}  // namespace wse::cli
