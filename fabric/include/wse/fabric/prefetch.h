// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace wse::fabric {

/// Asks for the cache line at an address, so that it is near when it is wanted. Never faults.
/// The empty statement counts as an effect: without one, GCC drops calls of functions that do
/// nothing but prefetch.
inline void prefetch(const void* address) {
  __builtin_prefetch(address, 1);
  asm volatile("");
}

}  // namespace wse::fabric
