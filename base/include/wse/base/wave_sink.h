// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "wse/base/units.h"

namespace wse::base {

/// A signal of a wave file.
struct WaveSignal {
  std::string scope;        ///< modules from the outside in, separated by dots: `cs2.wafer`
  std::string name;         ///< `power_w`
  std::uint32_t width = 0;  ///< bits; 0: a real number
};

/// Where waves go: a file of some format. Only changes are kept.
///
/// Contract: all signals before the first time; times rise. close() ends the file at the last time
/// given; the destructor does so too, so that a run that ends early leaves a file that can be read.
class WaveSink {
 public:
  using Id = std::uint32_t;  ///< signals are numbered from 0 in the order of add()

  virtual ~WaveSink() = default;
  virtual Id add(const WaveSignal& signal) = 0;
  virtual void time(Picoseconds now) = 0;
  virtual void set(Id signal, std::uint64_t value) = 0;  ///< of at most 64 bits
  /// Of any width: a character 0, 1, x or z for each bit, the highest first.
  virtual void set_bits(Id signal, const std::string& bits) = 0;
  virtual void set_real(Id signal, double value) = 0;
  /// Everything given so far is in the file, whatever happens to the process.
  virtual void flush() = 0;
  virtual void close() = 0;
};

}  // namespace wse::base
