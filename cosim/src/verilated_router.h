// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "router_writes.h"
#include "rtl_twins.h"
#include "verilated_block.h"
#include "wse/fabric/router_setup.h"
#include "wse/fabric/router_twin.h"

namespace wse::cosim {

/// A Verilated router behind the one-clock contract. Never together with <systemc> in one file: the
/// headers of Verilator do not allow it.
template <class Model>
class VerilatedRouter final : public fabric::RouterTwin {
 public:
  explicit VerilatedRouter(const fabric::RouterSetup& setup)
      : block_("router", setup.mutant, setup.checked) {
    for (const RouterWrite& w : configuration_of(setup)) write(w.kind, w.color, w.value);
    block_.pins().eval();
  }

  base::VcdSource* trace() override { return block_.trace(); }
  fabric::RouterPins outputs() const override {
    const Model& m = block_.pins();
    fabric::RouterPins pins;
    for (std::size_t p = 0; p < fabric::kNumPorts; ++p) {
      fabric::LinkPins& link = pins.links[p];
      link.valid = (m.out_valid >> p & 1) != 0;
      if (link.valid) {
        link.wavelet.data = m.out_data[p];
        link.wavelet.color = static_cast<std::uint8_t>(m.out_color >> (5 * p) & 31);
        link.wavelet.control = (m.out_control >> p & 1) != 0;
        link.wavelet.advance = (m.out_advance >> p & 1) != 0;
      }
      pins.credits[p] = field(m.out_credit, p);
    }
    return pins;
  }

  void clock(const fabric::RouterPins& inputs) override {
    Model& m = block_.pins();
    m.in_valid = m.in_control = m.in_advance = 0;
    m.in_color = 0;
    for (std::size_t i = 0; i < kCreditWords; ++i) m.in_credit[i] = 0;
    for (std::size_t p = 0; p < fabric::kNumPorts; ++p) {
      const fabric::LinkPins& link = inputs.links[p];
      put(m.in_credit, p, inputs.credits[p]);
      if (!link.valid) continue;
      m.in_valid = static_cast<CData>(m.in_valid | 1U << p);
      m.in_data[p] = link.wavelet.data;
      m.in_color |= static_cast<IData>(link.wavelet.color) << (5 * p);
      m.in_control = static_cast<CData>(m.in_control | (link.wavelet.control ? 1U << p : 0U));
      m.in_advance = static_cast<CData>(m.in_advance | (link.wavelet.advance ? 1U << p : 0U));
    }
    tick();
  }

 private:
  static constexpr std::size_t kCreditWords = (fabric::kNumPorts * fabric::kNumColors + 31) / 32;
  static constexpr std::uint32_t kColors = (std::uint32_t{1} << fabric::kNumColors) - 1;

  /// The 24 bits of a port.
  template <class Wide>
  static std::uint32_t field(const Wide& bits, std::size_t port) {
    const std::size_t at = port * fabric::kNumColors;
    std::uint64_t word = bits[at / 32];
    if (at / 32 + 1 < kCreditWords) word |= std::uint64_t{bits[at / 32 + 1]} << 32;
    return static_cast<std::uint32_t>(word >> at % 32) & kColors;
  }
  template <class Wide>
  static void put(Wide& bits, std::size_t port, std::uint32_t value) {
    const std::size_t at = port * fabric::kNumColors;
    const std::uint64_t word = std::uint64_t{value} << at % 32;
    bits[at / 32] |= static_cast<std::uint32_t>(word);
    if (at / 32 + 1 < kCreditWords) bits[at / 32 + 1] |= static_cast<std::uint32_t>(word >> 32);
  }

  void tick() {
    block_.clock([this] { return outputs(); });
  }
  void write(std::uint32_t kind, std::uint32_t color, std::uint32_t value) {
    Model& m = block_.pins();
    m.cfg_write = 1;
    m.cfg_kind = static_cast<CData>(kind);
    m.cfg_color = static_cast<CData>(color);
    m.cfg_value = value;
    tick();
    m.cfg_write = 0;
  }

  VerilatedBlock<Model> block_;
};

template <class Model>
void add_router_twin(RtlTwins& all, TwinKind kind) {
  all.routers.push_back({std::move(kind), [](const RouterSetup& setup) {
                           return std::make_unique<VerilatedRouter<Model>>(setup);
                         }});
}

}  // namespace wse::cosim
