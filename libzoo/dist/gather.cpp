#include <libzoo/dist/gather.h>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

namespace zoo::dist {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct GatherFunction : torch::autograd::Function<GatherFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& rows, int64_t group) {
    ctx->saved_data["group"] = group;
    ctx->saved_data["rows"] = rows.size(0);
    return of(group).gather(rows);
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const Group& group = of(ctx->saved_data["group"].toInt());
    const int64_t rows = ctx->saved_data["rows"].toInt();
    at::Tensor grad = gradients[0].clone(at::MemoryFormat::Contiguous);
    group.sum(grad);
    return {grad.slice(0, group.rank() * rows, (group.rank() + 1) * rows), at::Tensor()};
  }

  static const Group& of(int64_t address) { return *reinterpret_cast<const Group*>(address); }
};

}  // namespace

at::Tensor gather_rows(const at::Tensor& rows, const Group* group) {
  return group ? GatherFunction::apply(rows, reinterpret_cast<int64_t>(group)) : rows;
}

}  // namespace zoo::dist
