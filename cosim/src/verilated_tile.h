// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "rtl_twins.h"
#include "verilated_block.h"

namespace wse::cosim {

/// A Verilated tile behind its pins.
template <class Model>
class VerilatedTile final : public TileRtl {
 public:
  VerilatedTile(std::uint32_t mutant, bool checked) : block_("tile", mutant, checked) {}

  base::VcdSource* trace() override { return block_.trace(); }

  fabric::RampPins outputs() const override {
    const Model& m = block_.pins();
    fabric::RampPins pins;
    if (m.out_valid != 0) {
      pins.link = {true, {m.out_data, m.out_color, m.out_control != 0, m.out_advance != 0}};
    }
    pins.credits = m.out_credit;
    return pins;
  }
  void clock(const fabric::RampPins& from_router) override {
    Model& m = block_.pins();
    const fabric::LinkPins& link = from_router.link;
    m.in_valid = link.valid ? 1 : 0;
    m.in_data = link.wavelet.data;
    m.in_color = static_cast<CData>(link.wavelet.color);
    m.in_control = link.wavelet.control ? 1 : 0;
    m.in_advance = link.wavelet.advance ? 1 : 0;
    m.in_credit = from_router.credits;
    tick();
  }
  void write(Write kind, std::uint32_t address, std::uint32_t value) override {
    block_.pins().cfg_write = 1;
    block_.pins().cfg_kind = static_cast<CData>(kind);
    block_.pins().cfg_address = static_cast<SData>(address);
    block_.pins().cfg_value = value;
    tick();
    block_.pins().cfg_write = 0;
    block_.pins().eval();
  }
  std::uint32_t probe(Probe kind, std::uint32_t address) const override {
    block_.pins().probe_kind = static_cast<CData>(kind);
    block_.pins().probe_address = static_cast<SData>(address);
    block_.pins().eval();
    return block_.pins().probe_data;
  }
  bool busy() const override { return block_.pins().busy != 0; }
  bool finished() const override { return block_.pins().finished != 0; }
  bool fault() const override { return block_.pins().fault != 0; }

 private:
  void tick() {
    block_.clock([this] { return outputs(); });
  }

  VerilatedBlock<Model> block_;
};

template <class Model>
void add_tile_twin(RtlTwins& all, TwinKind kind) {
  all.tiles.push_back({std::move(kind), [](std::uint32_t mutant, bool checked) {
                         return std::make_unique<VerilatedTile<Model>>(mutant, checked);
                       }});
}

}  // namespace wse::cosim
