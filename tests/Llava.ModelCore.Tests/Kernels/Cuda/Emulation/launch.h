// Running a kernel in emulation.
#pragma once
#include <algorithm>
#include <functional>

struct Grid { int x, y, z, threads; };

// Null, or what went wrong. Warps of a block, and lanes of a warp, run in order for 0, in reverse for 1, shuffled otherwise.
const char* launch(const Grid& grid, unsigned order, const std::function<void()>& kernel);
