using Llava.Ledger.Workers;

namespace Llava.GpuConsumer.Models;

/// <summary>
/// Who is in memory next. The model that was waited for longest comes first. To make room, models leave that nothing uses, the
/// least recently used first; one with work leaves when its turn is over, and finishes what it has begun. So models that
/// alternate are not loaded anew for every chunk, and none waits for ever.
/// </summary>
internal static class ModelTurns
{
    /// <summary>A model that was used a moment ago has the next chunk on its way.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>What to do now.</summary>
    /// <param name="models">All models of the pool.</param>
    /// <param name="budget">Bytes they may take together.</param>
    /// <param name="turn">How long a model with work keeps others out.</param>
    /// <param name="now">Time since the pool's start.</param>
    public static ModelTurn Next(IReadOnlyCollection<PooledModel> models, long budget, TimeSpan turn, TimeSpan now)
    {
        var next = models.Where(model => model.State == ModelState.Unloaded && model.WaitingSince is not null).MinBy(model => model.WaitingSince);
        if (next is null)
        {
            return ModelTurn.Rest;
        }

        var loaded = models.Where(model => model.State == ModelState.Loaded).ToList();
        var missing = next.Bytes - (budget - loaded.Sum(model => model.Bytes));
        if (missing <= 0)
        {
            return new(next, [], Timeout.InfiniteTimeSpan);
        }

        var free = loaded.Where(model => LeavesAt(model, turn) <= now).ToList();
        if (free.Sum(model => model.Bytes) >= missing)
        {
            return new(null, Choose(free, missing), Timeout.InfiniteTimeSpan);
        }

        var bound = loaded.Except(free).Select(model => LeavesAt(model, turn) - now).Order().ToList();
        return new(null, [], bound is [var soonest, ..] ? soonest : Timeout.InfiniteTimeSpan);
    }

    private static TimeSpan LeavesAt(PooledModel model, TimeSpan turn)
    {
        var turnIsOver = model.LoadedAt + turn;
        var looksIdle = model.LastUsedAt + Pause;
        return model.Users == 0 && looksIdle < turnIsOver ? looksIdle : turnIsOver;
    }

    /// <summary>Idle ones first, the least recently used first of all; then none that another makes needless.</summary>
    private static List<PooledModel> Choose(List<PooledModel> free, long missing)
    {
        List<PooledModel> chosen = [];
        foreach (var model in free.OrderBy(model => model.Users > 0).ThenBy(model => model.LastUsedAt).TakeWhile(_ => missing > 0))
        {
            chosen.Add(model);
            missing -= model.Bytes;
        }

        foreach (var needless in chosen.Where(model => missing + model.Bytes <= 0).ToList())
        {
            if (missing + needless.Bytes <= 0)
            {
                chosen.Remove(needless);
                missing += needless.Bytes;
            }
        }

        return chosen;
    }
}

/// <summary>What a pool does next.</summary>
/// <param name="Load">The model to load; null for none.</param>
/// <param name="Leaving">Models that make way as soon as nothing uses them.</param>
/// <param name="LookAgain">When another may leave, if nothing else happens before.</param>
internal sealed record ModelTurn(PooledModel? Load, IReadOnlyList<PooledModel> Leaving, TimeSpan LookAgain)
{
    /// <summary>Nobody waits.</summary>
    public static ModelTurn Rest { get; } = new(null, [], Timeout.InfiniteTimeSpan);
}
