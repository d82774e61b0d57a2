// The pendulum of Gymnasium's Pendulum-v1: swing up and balance, by a torque that is too small to lift it at once. Observations f32
// (cos θ, sin θ, θ̇); one action in [-2, 2]; rewards -(θ² + 0.1 θ̇² + 0.001 u²); truncated after 200 steps, never terminal.
#pragma once

#include <libzoo/rl/environment.h>

#include <array>
#include <memory>

namespace zoo::rl {

struct PendulumState {
  double angle = 0, velocity = 0;  // radians from upright, not wrapped; radians per second

  std::array<double, 3> observation() const;
};

// One step of 0.05 s; the torque is clipped to [-2, 2]. Returns the reward, that of the state before.
double pendulum_step(PendulumState& state, double torque);

std::unique_ptr<Environment> make_pendulum();

}  // namespace zoo::rl
