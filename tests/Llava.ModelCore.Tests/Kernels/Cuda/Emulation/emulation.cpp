// Fibres and their two kinds of waiting.
#include "emulation.h"
#include <csetjmp>
#include <cstdlib>
#include <random>
#include <string>
#include <ucontext.h>
#include <vector>
#include "launch.h"

namespace {
constexpr size_t StackBytes = 64 * 1024;
constexpr int Warp = 32;
enum class State { Ready, InBlock, InWarp, Done };

struct Slot : Fibre {
    State state;
    bool has_begun;
    ucontext_t start;
    jmp_buf pause;
};

struct Memory { void* start; size_t bytes; };

thread_local jmp_buf scheduler;
thread_local std::vector<Slot> slots;
thread_local std::vector<char> stacks;
thread_local std::vector<Memory> shared;
thread_local const std::function<void()>* body;
thread_local std::string problem;

Slot& self() { return *static_cast<Slot*>(current); }

void leave(State state) {
    Slot& slot = self();
    slot.state = state;
    if (!_setjmp(slot.pause)) _longjmp(scheduler, 1);
}

// Begins with a context of its own and goes on by jumps, which ask the system for nothing.
void resume(Slot& slot) {
    current = &slot;
    if (_setjmp(scheduler)) return;
    if (slot.has_begun) _longjmp(slot.pause, 1);
    slot.has_begun = true;
    setcontext(&slot.start);
}

void run() {
    (*body)();
    leave(State::Done);
}

bool all(size_t from, size_t to, State state) {
    for (size_t i = from; i < to; i++) if (slots[i].state != state) return false;
    return true;
}

void exchange(size_t first) {
    unsigned values[Warp];
    for (int lane = 0; lane < Warp; lane++) values[lane] = slots[first + lane].value;
    for (int lane = 0; lane < Warp; lane++) {
        slots[first + lane].value = values[lane ^ slots[first + lane].mask];
        slots[first + lane].state = State::Ready;
    }
}

// Runs a warp until its lanes wait for other warps or are done: as far ahead of the others as it can get.
void run_warp(size_t first, const std::vector<int>& lanes) {
    do {
        for (int lane : lanes)
            if (slots[first + lane].state == State::Ready && problem.empty()) resume(slots[first + lane]);
        if (!problem.empty() || !all(first, first + Warp, State::InWarp)) return;
        exchange(first);
    } while (true);
}

void run_block(const std::vector<int>& warps, const std::vector<int>& lanes) {
    for (const Memory& memory : shared) memset(memory.start, 0xFF, memory.bytes);
    for (size_t i = 0; i < slots.size(); i++) {
        slots[i].state = State::Ready;
        slots[i].has_begun = false;
        getcontext(&slots[i].start);
        slots[i].start.uc_stack.ss_sp = stacks.data() + i * StackBytes;
        slots[i].start.uc_stack.ss_size = StackBytes;
        slots[i].start.uc_link = nullptr;
        makecontext(&slots[i].start, run, 0);
    }
    while (true) {
        for (int warp : warps) run_warp(warp * Warp, lanes);
        if (!problem.empty() || all(0, slots.size(), State::Done)) return;
        if (!all(0, slots.size(), State::InBlock)) problem = "threads wait for others that do not come";
        for (Slot& slot : slots) slot.state = State::Ready;
    }
}

std::vector<int> in_order(int count, unsigned seed) {
    std::vector<int> order(count);
    for (int i = 0; i < count; i++) order[i] = seed == 1 ? count - 1 - i : i;
    std::mt19937 random(seed);
    if (seed > 1) std::shuffle(order.begin(), order.end(), random);
    return order;
}
}

thread_local Fibre* current;

void wait_for_block() { leave(State::InBlock); }
void wait_for_warp() { leave(State::InWarp); }
void register_shared(void* memory, size_t bytes) {
    shared.push_back({memory, bytes});
    memset(memory, 0xFF, bytes);
}

void fault(const char* what) {
    problem = what;
    leave(State::Done);
    abort();
}

const char* launch(const Grid& grid, unsigned order_seed, const std::function<void()>& kernel) {
    const int threads = grid.threads;
    const long long blocks = (long long)grid.x * grid.y * grid.z;
    problem.clear();
    if (threads % Warp) return "a block is not whole warps";
    slots.resize(threads);
    stacks.resize(std::max(stacks.size(), threads * StackBytes));
    body = &kernel;
    const std::vector<int> warps = in_order(threads / Warp, order_seed), lanes = in_order(Warp, order_seed);
    for (long long i = 0; i < blocks && problem.empty(); i++) {
        const long long block = order_seed % 2 ? blocks - 1 - i : i;
        for (int t = 0; t < threads; t++) {
            static_cast<Fibre&>(slots[t]) = Fibre{
                t, threads, {(int)(block % grid.x), (int)(block / grid.x % grid.y), (int)(block / grid.x / grid.y)}, {grid.x, grid.y, grid.z}, 0, 0};
        }
        run_block(warps, lanes);
    }
    return problem.empty() ? nullptr : problem.c_str();
}
