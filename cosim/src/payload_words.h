// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <tlm>

namespace wse::cosim {

/// A payload as the words of 32 bits that it touches, the lowest byte of a word first.
class PayloadWords {
 public:
  /// The payload has an address range and data; `enables`: bytes that are not enabled do not count.
  PayloadWords(const tlm::tlm_generic_payload& trans, bool enables)
      : address_(trans.get_address()),
        length_(trans.get_data_length()),
        data_(trans.get_data_ptr()),
        enables_(enables ? trans.get_byte_enable_ptr() : nullptr),
        enable_length_(trans.get_byte_enable_length()) {}

  std::uint64_t first() const { return address_ / 4; }
  std::uint32_t count() const {
    return static_cast<std::uint32_t>((address_ + length_ + 3) / 4 - first());
  }
  /// Bytes of word first() + i that are touched, as bits.
  std::uint8_t bytes(std::uint32_t i) const {
    unsigned mask = 0;
    for (unsigned byte = 0; byte < 4; ++byte) mask |= touches(place(i, byte)) ? 1U << byte : 0;
    return static_cast<std::uint8_t>(mask);
  }
  /// The word, zero where it is not touched.
  std::uint32_t get(std::uint32_t i) const {
    std::uint32_t word = 0;
    for (unsigned byte = 0; byte < 4; ++byte) {
      const std::uint64_t at = place(i, byte);
      if (touches(at)) word |= std::uint32_t{data_[at]} << (8 * byte);
    }
    return word;
  }
  /// Changes what is touched.
  void set(std::uint32_t i, std::uint32_t word) const {
    for (unsigned byte = 0; byte < 4; ++byte) {
      const std::uint64_t at = place(i, byte);
      if (touches(at)) data_[at] = static_cast<unsigned char>(word >> (8 * byte));
    }
  }

 private:
  /// Of a byte in the data; wraps around before the first one.
  std::uint64_t place(std::uint32_t i, unsigned byte) const {
    return 4 * (first() + i) + byte - address_;
  }
  bool touches(std::uint64_t at) const {
    if (at >= length_) return false;
    return enables_ == nullptr || enables_[at % enable_length_] == TLM_BYTE_ENABLED;
  }

  const std::uint64_t address_;
  const std::uint32_t length_;
  unsigned char* const data_;
  const unsigned char* const enables_;
  const std::uint32_t enable_length_;
};

}  // namespace wse::cosim
