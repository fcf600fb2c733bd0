using Llava.GpuConsumer.Chunks;
using Llava.Ledger.Chunks;

namespace Llava.GpuConsumer.Tests;

public sealed class ProbationGateTests
{
    [Fact]
    public async Task As_many_enter_as_there_are_places()
    {
        using ProbationGate gate = new(2);
        var first = await gate.EnterAsync(alone: false, default);
        using var second = await gate.EnterAsync(alone: false, default);
        var third = gate.EnterAsync(alone: false, default);
        Assert.False(third.IsCompleted);

        first.Dispose();

        (await third).Dispose();
    }

    [Fact]
    public async Task One_who_must_be_alone_waits_for_all_and_keeps_all_out()
    {
        using ProbationGate gate = new(3);
        var neighbour = await gate.EnterAsync(alone: false, default);
        var alone = gate.EnterAsync(alone: true, default);
        var later = gate.EnterAsync(alone: false, default);
        Assert.False(alone.IsCompleted);

        neighbour.Dispose();
        var place = await alone;
        Assert.False(later.IsCompleted);

        place.Dispose();
        (await later).Dispose();
    }

    [Fact]
    public async Task One_who_gives_up_waiting_leaves_no_place_taken()
    {
        using ProbationGate gate = new(2);
        using CancellationTokenSource patience = new();
        var neighbour = await gate.EnterAsync(alone: false, default);
        var alone = gate.EnterAsync(alone: true, patience.Token);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => alone);
        neighbour.Dispose();

        (await gate.EnterAsync(alone: true, default)).Dispose();
    }

    [Fact]
    public void A_lease_in_work_is_not_taken_up_a_second_time()
    {
        using HeldLease held = new(new(new(new(1), 0, 0, 4, 1, 1, "w", default, default), []), claimed: 0);
        Assert.False(held.TryResume());

        held.Rest(now: 0);

        Assert.True(held.TryResume());
        Assert.False(held.TryResume());
    }
}
