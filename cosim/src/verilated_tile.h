// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <verilated.h>

#include <memory>

#include "rtl_twins.h"
#include "verilated_trace.h"
#include "wse/base/twin_error.h"

namespace wse::cosim {

/// A Verilated tile behind its pins.
template <class Model>
class VerilatedTile final : public TileRtl {
 public:
  VerilatedTile(std::uint32_t mutant, bool checked)
      : checked_(checked),
        context_(std::make_unique<VerilatedContext>()),
        model_(std::make_unique<Model>(context_.get(), "tile")) {
    model_->mutant = static_cast<CData>(mutant & 31);
    model_->rst = 1;
    tick();
    model_->rst = 0;
    model_->eval();
  }
  ~VerilatedTile() override { model_->final(); }

  base::VcdSource* trace() override {
    if (trace_ == nullptr) trace_ = std::make_unique<VerilatedTrace>(*model_);
    return trace_.get();
  }

  fabric::RampPins outputs() const override {
    const Model& m = *model_;
    fabric::RampPins pins;
    if (m.out_valid != 0) {
      pins.link = {true, {m.out_data, m.out_color, m.out_control != 0, m.out_advance != 0}};
    }
    pins.credits = m.out_credit;
    return pins;
  }
  void clock(const fabric::RampPins& from_router) override {
    Model& m = *model_;
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
    model_->cfg_write = 1;
    model_->cfg_kind = static_cast<CData>(kind);
    model_->cfg_address = static_cast<SData>(address);
    model_->cfg_value = value;
    tick();
    model_->cfg_write = 0;
    model_->eval();
  }
  std::uint32_t probe(Probe kind, std::uint32_t address) const override {
    model_->probe_kind = static_cast<CData>(kind);
    model_->probe_address = static_cast<SData>(address);
    model_->eval();
    return model_->probe_data;
  }
  bool busy() const override { return model_->busy != 0; }
  bool finished() const override { return model_->finished != 0; }
  bool fault() const override { return model_->fault != 0; }

 private:
  void tick() {
    const fabric::RampPins before = checked_ ? outputs() : fabric::RampPins();
    model_->clk = 0;
    model_->eval();
    if (checked_ && !(outputs() == before)) {
      throw base::TwinError(
          "an output follows an input within the clock: outputs must be a function of the state "
          "alone");
    }
    if (trace_ != nullptr) trace_->clock();
    model_->clk = 1;
    model_->eval();
  }

  const bool checked_;
  std::unique_ptr<VerilatedContext> context_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<VerilatedTrace> trace_;
};

template <class Model>
void add_tile_twin(RtlTwins& all, TwinKind kind) {
  all.tiles.push_back({std::move(kind), [](std::uint32_t mutant, bool checked) {
                         return std::make_unique<VerilatedTile<Model>>(mutant, checked);
                       }});
}

}  // namespace wse::cosim
