// Proposition 1 of "An Optimistic Perspective on Offline RL": under random mixtures every head of REM converges to the optimal values.
#include "test/catch.h"

#include <libzoo/offline_rl/losses.h>
#include <libzoo/offline_rl/simplex.h>

#include <ATen/ATen.h>

using namespace zoo::offline_rl;

TEST_CASE("all heads of tabular REM end at the optimal values of a chain", "[offline_rl]") {
  // States 0 … 4, actions left and right; right from 4 earns 1 and ends; gamma 0.9. One table [state, action] per head. A batch is all ten
  // (state, action), so the mean's 1/10 is taken out of the gradient; the rate of head k is 0.25 · K · alpha_k, of which alpha_k is in the gradient.
  constexpr int64_t kStates = 5, kHeads = 4, kUpdates = 10'000, kCopyEvery = 20;
  constexpr double kGamma = 0.9;
  std::vector<int64_t> state, action, next;
  std::vector<float> reward;
  std::vector<uint8_t> terminal;
  for (int64_t s = 0; s < kStates; ++s)
    for (int64_t a = 0; a < 2; ++a) {
      const bool goal = s == kStates - 1 && a == 1;
      state.push_back(s), action.push_back(a);
      next.push_back(goal ? 0 : a == 1 ? s + 1 : std::max<int64_t>(0, s - 1));
      reward.push_back(goal), terminal.push_back(goal);
    }
  const auto from = at::tensor(state, at::kLong), to = at::tensor(next, at::kLong);
  const Outcomes outcomes{.action = at::tensor(action, at::kLong),
                          .reward = at::tensor(reward).to(at::kDouble),
                          .terminal = at::tensor(terminal, at::kByte),
                          .discount = kGamma};
  at::manual_seed(1);
  auto table = at::randn({kStates, 2, kHeads}, at::kDouble), target = table.clone();
  zoo::RandomStream random({.seed = 1});
  for (int64_t update = 0; update < kUpdates; ++update) {
    if (update % kCopyEvery == 0) target.copy_(table);
    const auto alpha = draw_simplex(kHeads, 1, random).to(at::kDouble);
    const auto loss = rem_loss(table.index_select(0, from), target.index_select(0, to), alpha, outcomes);
    table.index_add_(0, from, loss.grad, -0.25 * kHeads * double(from.numel()));
  }
  const auto right = table.select(1, 1);
  const auto optimal = at::tensor({0.6561, 0.729, 0.81, 0.9, 1.0}, at::kDouble).unsqueeze(1);
  CHECK((right - optimal).abs().max().item<double>() < 1e-3);
  CHECK((right.amax(1) - right.amin(1)).max().item<double>() < 1e-3);
}
