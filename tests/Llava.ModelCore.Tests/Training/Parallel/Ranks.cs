using Llava.ModelCore.Native;
using Llava.ModelCore.Training.Parallel;

namespace Llava.ModelCore.Tests.Training.Parallel;

/// <summary>Groups of ranks that are threads of the test, over either kind of link.</summary>
internal static class Ranks
{
    public static TimeSpan Patience { get; } = TimeSpan.FromMinutes(2);

    public static IReadOnlyList<ICollective> InProcess(int size, TimeSpan? deadline = null) => [.. InProcessLink.Group(size, deadline ?? Patience).Select(link => new PeerCollective(link))];

    public static async Task<IReadOnlyList<ICollective>> OverTcpAsync(int size, TimeSpan? deadline = null)
    {
        using TcpGroup group = new(size, deadline ?? Patience);
        var others = Enumerable.Range(1, size - 1).Select(rank => TcpGroup.JoinAsync(group.InvitationFor(rank))).ToList();
        return [await group.MeetAsync(), .. await Task.WhenAll(others)];
    }

    /// <summary>What every rank comes to, by rank; each leaves the group when it is done or fails.</summary>
    /// <exception cref="Exception">The first failure that was not another rank's.</exception>
    public static async Task<T[]> RunAsync<T>(IReadOnlyList<ICollective> ranks, Func<ICollective, T> work)
    {
        TorchLibrary.EnsureLoaded();
        var tasks = ranks.Select(rank => Task.Factory.StartNew(
            () =>
            {
                using (rank)
                {
                    return work(rank);
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)).ToList();
        try
        {
            return await Task.WhenAll(tasks);
        }
        catch (RankLostException)
        {
            await (tasks.FirstOrDefault(task => task.Exception?.InnerException is { } cause and not RankLostException) ?? tasks.First(task => task.IsFaulted));
            throw;
        }
    }
}
