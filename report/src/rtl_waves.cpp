// SPDX-License-Identifier: Apache-2.0
#include "wse/report/rtl_waves.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "vcd_text.h"
#include "wse/base/check.h"

namespace wse::report {
namespace {

std::string scope_of(const std::string& scope, const VcdVariable& variable) {
  std::string text = "rtl." + scope;
  for (std::size_t i = 1; i < variable.scopes.size(); ++i) text += "." + variable.scopes[i];
  return text;
}

std::string with_range(const std::string& name, std::uint32_t width) {
  return width > 1 ? fmt::format("{}[{}:0]", name, width - 1) : name;
}

bool is_split(const std::string& name, std::uint32_t width, std::size_t ports) {
  const bool directed = name.rfind("in_", 0) == 0 || name.rfind("out_", 0) == 0;
  return directed && ports != 0 && width % ports == 0;
}

/// The order in which the model shows a link; what leaves before what comes.
std::size_t rank(const std::string& name) {
  static const std::vector<std::string> kOrder{"valid",   "color",   "data",
                                               "control", "advance", "credit"};
  const std::size_t underscore = name.find('_');
  const auto at = std::find(kOrder.begin(), kOrder.end(), name.substr(underscore + 1));
  return static_cast<std::size_t>(at - kOrder.begin()) + (name.rfind("in_", 0) == 0 ? 100 : 0);
}

/// A bit for each color; all else that a port has is a number.
bool is_mask(const std::string& name) {
  const std::string ending = "_credit";
  return name.size() > ending.size() &&
         name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
}

}  // namespace

void RtlWaves::add(const std::string& scope, const std::string& title,
                   std::vector<std::string> ports, base::VcdSource& source, bool pins_only,
                   base::WaveSink& sink) {
  Source s;
  s.source = &source;
  s.title = title;
  s.ports = std::move(ports);
  const std::vector<VcdVariable> variables = read_vcd_header(source.header());
  // The outermost scope holds the pins alone; the module in it has them again.
  for (const VcdVariable& v : variables) {
    if (v.scopes.size() > 1) continue;
    if (s.by_code.emplace(v.code, s.nets.size()).second) s.nets.push_back(Net(v.width));
    if (v.name == "clk") s.nets[s.by_code.at(v.code)].is_clock = true;
  }
  const std::size_t pins = s.nets.size();
  for (Net& net : s.nets) net.is_pin = true;
  for (const VcdVariable& v : variables) {
    if (v.scopes.size() < 2) continue;
    const std::size_t net = s.by_code.emplace(v.code, s.nets.size()).first->second;
    const bool is_pin = v.scopes.size() == 2 && net < pins;
    if (net == s.nets.size()) s.nets.push_back(Net(v.width));
    if (pins_only && !is_pin) continue;
    const Name name{scope_of(scope, v), v.name, net, is_pin};
    s.nets[net].signals.push_back(sink.add({name.scope, name.name, v.width}));
    s.names.push_back(name);
  }
  sources_.push_back(std::move(s));
}

void RtlWaves::want(bool wanted) {
  for (const Source& s : sources_) s.source->want(wanted);
}

RtlWaves::Cycle RtlWaves::take() {
  Cycle cycle;
  for (const Source& s : sources_) cycle.push_back(s.source->take());
  return cycle;
}

void RtlWaves::set(const Net& net, base::WaveSink& sink) {
  if (net.value.empty()) return;
  for (const base::WaveSink::Id signal : net.signals) {
    if (net.width == 0) {
      sink.set_real(signal, std::strtod(net.value.c_str(), nullptr));
    } else {
      sink.set_bits(signal, net.value);
    }
  }
}

void RtlWaves::set_clock(Source& source, bool high, base::WaveSink& sink) {
  for (Net& net : source.nets) {
    if (!net.is_clock) continue;
    net.value = high ? "1" : "0";
    set(net, sink);
  }
  source.high = high;
}

/// Takes the new values, and shows them if there is a sink.
void RtlWaves::apply(Source& source, const std::string& text, base::WaveSink* sink) {
  VcdChanges changes(text);
  for (VcdChange change; changes.next(change);) {
    code_.assign(change.code);
    const auto found = source.by_code.find(code_);
    if (found == source.by_code.end()) continue;  // not asked for
    Net& net = source.nets[found->second];
    if (net.is_clock) continue;  // it is seen at one phase only
    std::string value =
        net.width == 0 ? std::string(change.value) : vcd_bits(change.value, net.width);
    if (source.shown) note_change(net, value);
    net.value = std::move(value);
    if (sink != nullptr) set(net, *sink);
  }
}

void RtlWaves::note_change(Net& net, const std::string& value) {
  net.changed = true;
  if (!net.is_pin || net.width == 0) return;
  net.moved.resize(net.width);
  for (std::size_t bit = 0; bit < net.width; ++bit) {
    if (value[bit] != net.value[bit]) net.moved[bit] = true;
  }
}

void RtlWaves::pass(const Cycle& cycle) {
  for (std::size_t i = 0; i < cycle.size(); ++i) apply(sources_[i], cycle[i].text, nullptr);
}

void RtlWaves::show(const Cycle& cycle, base::WaveSink& sink) {
  high_ = false;
  for (std::size_t i = 0; i < cycle.size(); ++i) {
    Source& s = sources_[i];
    apply(s, cycle[i].text, s.shown ? &sink : nullptr);
    if (!s.shown) {
      for (const Net& net : s.nets) set(net, sink);
    }
    s.shown = true;
    set_clock(s, cycle[i].clocked, sink);
    high_ = high_ || s.high;
  }
}

void RtlWaves::fall(base::WaveSink& sink) {
  for (Source& s : sources_) {
    if (s.high) set_clock(s, false, sink);
  }
  high_ = false;
}

void RtlWaves::describe(SaveFile& save) const {
  for (const Source& s : sources_) {
    describe_pins(s, save);
    describe_inside(s, save);
  }
}

/// Ports on which something has moved, each with its part of the pins; then the other pins.
void RtlWaves::describe_pins(const Source& source, SaveFile& save) {
  save.begin_group(source.title + ": pins", true);
  std::vector<const Name*> split;
  for (const Name& name : source.names) {
    const Net& net = source.nets[name.net];
    if (!name.pin) continue;
    if (is_split(name.name, net.width, source.ports.size())) {
      split.push_back(&name);
    } else if (net.is_clock || net.changed) {
      save.bits(name.scope + "." + with_range(name.name, net.width), net.width);
    }
  }
  std::stable_sort(split.begin(), split.end(),
                   [](const Name* a, const Name* b) { return rank(a->name) < rank(b->name); });
  for (std::size_t port = 0; port < source.ports.size(); ++port) {
    bool titled = false;
    for (const Name* name : split) {
      const Net& net = source.nets[name->net];
      const std::size_t width = net.width / source.ports.size();
      const std::size_t lowest = port * width;
      const auto end =
          net.moved.end() - static_cast<std::ptrdiff_t>(net.moved.empty() ? 0 : lowest);
      const auto begin = end - static_cast<std::ptrdiff_t>(net.moved.empty() ? 0 : width);
      if (std::find(begin, end, true) == end) continue;
      if (!titled) save.title(source.ports[port]);
      titled = true;
      save.part(source.ports[port] + "_" + name->name, name->scope + "." + name->name, net.width,
                static_cast<std::uint32_t>(lowest), static_cast<std::uint32_t>(width),
                !is_mask(name->name));
    }
  }
  save.end_group();
}

void RtlWaves::describe_inside(const Source& source, SaveFile& save) {
  const auto inside = [&](const Name& name) {
    return !source.nets[name.net].is_pin && source.nets[name.net].changed;
  };
  if (std::none_of(source.names.begin(), source.names.end(), inside)) return;
  save.begin_group(source.title + ": what has changed inside", false);
  std::string scope;
  std::vector<bool> listed(source.nets.size());  // a net once, under its outermost name
  for (const Name& name : source.names) {
    if (!inside(name) || listed[name.net]) continue;
    listed[name.net] = true;
    if (name.scope != scope) save.title(name.scope);
    scope = name.scope;
    const std::uint32_t width = source.nets[name.net].width;
    if (width == 0) {
      save.real(name.scope + "." + name.name);
    } else {
      save.bits(name.scope + "." + with_range(name.name, width), width);
    }
  }
  save.end_group();
}

}  // namespace wse::report
