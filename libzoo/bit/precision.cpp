#include <libzoo/bit/precision.h>
#include <libzoo/core/error.h>
#include <libzoo/core/log.h>

#include <ATen/ATen.h>

namespace zoo::bit {
namespace {

bool processor_has_bfloat16() {
#if defined(__x86_64__) && defined(__GNUC__)
  return __builtin_cpu_supports("avx512bf16");
#else
  return true;  // nobody knows: no warning
#endif
}

}  // namespace

void place(nn::ResNetV2& model, const at::Device& device, Precision precision) {
  model->to(device);
  model->set_compute_type(at::kFloat);
  if (precision == Precision::f32) return;
  if (precision == Precision::f16 && device.is_cpu()) throw UserError("precision: f16 is for GPUs", "precision=bf16 works on processors");
  if (device.is_cpu() && !processor_has_bfloat16()) log::warning("this processor has no bfloat16 arithmetic: precision=f32 will be faster");
  model->set_compute_type(precision == Precision::bf16 ? at::kBFloat16 : at::kHalf);
}

}  // namespace zoo::bit
