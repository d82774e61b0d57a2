// The rows of all ranks as one tensor through which gradients flow back: each rank's rows get the sum of what all ranks' losses
// say of them.
//
//   at::Tensor all = zoo::dist::gather_rows(rows, group.get());   // [n, d] -> [n · size, d]
#pragma once

#include <libzoo/dist/group.h>

namespace zoo::dist {

// Rank after rank; the same number of rows everywhere. Without a group the rows themselves.
at::Tensor gather_rows(const at::Tensor& rows, const Group* group);

}  // namespace zoo::dist
