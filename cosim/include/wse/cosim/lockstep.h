// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "wse/base/twin_error.h"
#include "wse/cosim/pin_text.h"

namespace wse::cosim {

/// A twin and the model did not give the same in a clock; what() shows the last clocks of both.
class Mismatch : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A clock as a message shows it.
struct ClockText {
  std::uint64_t number = 0;
  std::string in, model, twin;
};
/// Throws a Mismatch that shows the clocks up to the last one, in which `name` differs.
[[noreturn]] void throw_mismatch(const std::string& name, const std::vector<ClockText>& clocks);
/// Throws a Mismatch for a twin that broke its contract.
[[noreturn]] void throw_breach(const std::string& name, std::uint64_t clock,
                               const base::TwinError& error);

/// A twin shadowed by the model: both get the same inputs, and all outputs are compared in every
/// clock; throws a Mismatch at the first difference. The outputs are the model's. `Twin` is one of the
/// one-clock interfaces: fabric::RouterTwin, memory::BankTwin, tiles::TileTwin.
template <class Twin, class Model>
class Lockstep : public Twin {
 public:
  using Inputs = typename Twin::Inputs;
  using Outputs = typename Twin::Outputs;

  /// `name`: for messages, such as `router (3,4), rtl:router,`.
  Lockstep(std::string name, std::unique_ptr<Twin> twin, std::unique_ptr<Model> model)
      : name_(std::move(name)), twin_(std::move(twin)), model_(std::move(model)) {}

  Outputs outputs() const override { return model_->outputs(); }
  void clock(const Inputs& inputs) override {
    window_.push_back({clocks_, inputs, twin_->outputs(), model_->outputs()});
    if (window_.size() > kWindow) window_.pop_front();
    const bool differs = !(window_.back().twin == window_.back().model);
    try {
      twin_->clock(inputs);  // after a difference, too: its waves show what came in
    } catch (const base::TwinError& error) {
      if (!differs) throw_breach(name_, clocks_, error);
    }
    if (differs) throw_mismatch(name_, texts());
    model_->clock(inputs);
    ++clocks_;
  }

  base::VcdSource* trace() override { return twin_->trace(); }

  const Model& model() const { return *model_; }

 protected:
  Model& shadow() { return *model_; }
  Twin& twin() const { return *twin_; }
  const std::string& name() const { return name_; }
  std::uint64_t clocks() const { return clocks_; }

 private:
  static constexpr std::size_t kWindow = 16;  ///< clocks that a message shows
  struct Clock {
    std::uint64_t number;
    Inputs inputs;
    Outputs twin, model;
  };
  std::vector<ClockText> texts() const {
    std::vector<ClockText> texts;
    for (const Clock& c : window_) {
      texts.push_back({c.number, text_of(c.inputs), text_of(c.model), text_of(c.twin)});
    }
    return texts;
  }

  const std::string name_;
  std::unique_ptr<Twin> twin_;
  std::unique_ptr<Model> model_;
  std::uint64_t clocks_ = 0;
  std::deque<Clock> window_;
};

}  // namespace wse::cosim
