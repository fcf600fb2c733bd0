using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Parallel;

namespace Llava.GpuConsumer.Training.Processes;

/// <summary>
/// The processes that a run is trained by beside this one: a command of this program for each, told by standard input which rank it is. They end when this one
/// does, and what they say of a failure is said here.
/// </summary>
public sealed class TrainingProcesses : IAsyncDisposable
{
    private const int LastLines = 20;
    private const string VisibleCards = "CUDA_VISIBLE_DEVICES";

    /// <summary>Longer than it takes to save a large model, which the others wait for.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(15);

    private static readonly TimeSpan Goodbye = TimeSpan.FromSeconds(20);

    private readonly List<Worker> _workers;

    private TrainingProcesses(List<Worker> workers, ICollective ranks) => (_workers, Ranks) = (workers, ranks);

    /// <summary>All of them, this one as rank 0.</summary>
    public ICollective Ranks { get; }

    /// <summary>Starts the others and waits until all are here.</summary>
    /// <param name="size">Processes, this one included.</param>
    /// <param name="onCards">Whether each gets a card of its own.</param>
    /// <param name="program">How this program is started.</param>
    /// <param name="arguments">The command that each of them runs; it joins by the <see cref="GroupInvitation"/> on its standard input, a line of JSON.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="TrainingException">One of them ended or did not come.</exception>
    public static async Task<TrainingProcesses> StartAsync(int size, bool onCards, TrainingProgram program, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        using TcpGroup group = new(size, Deadline);
        List<Worker> workers = [];
        try
        {
            for (var rank = 1; rank < size; rank++)
            {
                workers.Add(Worker.Start(program, arguments, group.InvitationFor(rank), onCards));
            }

            var meeting = group.MeetAsync(cancellationToken);
            if (await Task.WhenAny([meeting, .. workers.Select(worker => worker.Ended)]) is Task<ICollective> met)
            {
                var ranks = await met;
                return new(workers, onCards ? new NcclCollective(ranks) : ranks);
            }

            throw new TrainingException($"A process of the training run ended before the run began.{await LastWordsAsync(workers)}");
        }
        catch
        {
            foreach (var worker in workers)
            {
                await worker.EndAsync(TimeSpan.Zero);
            }

            throw;
        }
    }

    /// <summary>Runs this rank's part; where it fails because another did, the failure says what that one said.</summary>
    /// <exception cref="RankLostException">One of the others is gone.</exception>
    public async Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (RankLostException e)
        {
            throw e.Saying(await LastWordsAsync(_workers));
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Ranks.Dispose();
        foreach (var worker in _workers)
        {
            await worker.EndAsync(Goodbye);
        }
    }

    private static async Task<string> LastWordsAsync(List<Worker> workers)
    {
        await Task.WhenAny(Task.WhenAll(workers.Select(worker => worker.Ended)), Task.Delay(TimeSpan.FromSeconds(5)));
        return string.Concat(workers.Where(worker => worker.Lines.Any()).Select(worker => $"{Environment.NewLine}Process {worker.Rank} said: {string.Join(Environment.NewLine, worker.Lines)}"));
    }

    private sealed class Worker(Process process, int rank)
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public int Rank => rank;

        public IEnumerable<string> Lines => _lines;

        /// <summary>Done when it has ended and all that it said is here.</summary>
        public Task Ended { get; private set; } = Task.CompletedTask;

        public static Worker Start(TrainingProgram program, IReadOnlyList<string> arguments, GroupInvitation invitation, bool onCards)
        {
            ProcessStartInfo start = new(program.Path, [.. program.Arguments, .. arguments]) { RedirectStandardInput = true, RedirectStandardError = true };
            if (onCards)
            {
                start.Environment.TryGetValue(VisibleCards, out var named);
                var visible = named?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
                start.Environment[VisibleCards] = visible?.ElementAtOrDefault(invitation.Rank) ?? invitation.Rank.ToString(CultureInfo.InvariantCulture);
            }

            Worker worker = new(Process.Start(start)!, invitation.Rank);
            worker.Ended = worker.FollowAsync(JsonSerializer.Serialize(invitation));
            return worker;
        }

        public async Task EndAsync(TimeSpan patience)
        {
            await Task.WhenAny(Ended, Task.Delay(patience));
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }

            await Ended;
            process.Dispose();
        }

        private async Task FollowAsync(string invitation)
        {
            try
            {
                await process.StandardInput.WriteLineAsync(invitation);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It ended at once; its standard error says why.
            }

            while (await process.StandardError.ReadLineAsync() is { } line)
            {
                _lines.Enqueue(line);
                if (_lines.Count > LastLines)
                {
                    _lines.TryDequeue(out _);
                }
            }

            await process.WaitForExitAsync();
        }
    }
}
