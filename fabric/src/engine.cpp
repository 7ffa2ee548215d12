// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/engine.h"

#include "wse/base/check.h"

namespace wse::fabric {

void Engine::skip_to(base::Cycles cycle) {
  WSE_CHECK(cycle >= now_ && !can_move(), "a fabric in motion cannot be moved on");
  if (cycle == now_) return;
  on_skip();
  now_ = cycle;
}

}  // namespace wse::fabric
