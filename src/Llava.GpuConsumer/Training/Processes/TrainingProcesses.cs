using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Parallel;

namespace Llava.Cli.Training;

/// <summary>
/// The processes that a command trains with beside its own: the same command once more for each, told by standard input which rank it is. They end when this one
/// does, and what they say of a failure is said here.
/// </summary>
internal sealed class TrainingProcesses : IAsyncDisposable
{
    /// <summary>Option that makes a command one of the others.</summary>
    public const string WorkerOption = "--worker";

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
    /// <param name="arguments">The command that each of them runs.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="TrainingException">One of them ended or did not come.</exception>
    public static async Task<TrainingProcesses> StartAsync(int size, bool onCards, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        using TcpGroup group = new(size, Deadline);
        List<Worker> workers = [];
        try
        {
            for (var rank = 1; rank < size; rank++)
            {
                workers.Add(Worker.Start(arguments, group.InvitationFor(rank), onCards));
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

    /// <summary>Becomes one of the others, as standard input says.</summary>
    public static async Task<ICollective> JoinAsync(bool onCards, CancellationToken cancellationToken)
    {
        var invitation = JsonSerializer.Deserialize<GroupInvitation>(await Console.In.ReadLineAsync(cancellationToken) ?? "null")
            ?? throw new TrainingException($"{WorkerOption} is for processes that a training run starts itself; there is no invitation on standard input.");
        var ranks = await TcpGroup.JoinAsync(invitation, cancellationToken);
        return onCards ? new NcclCollective(ranks) : ranks;
    }

    /// <summary>Runs this rank's part; where it fails because another did, the failure says what that one said.</summary>
    public async Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (RankLostException e)
        {
            throw new TrainingException(e.Message + await LastWordsAsync(_workers), e);
        }
    }

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

        public static Worker Start(IReadOnlyList<string> arguments, GroupInvitation invitation, bool onCards)
        {
            // Under 'dotnet llava.dll' the program is an argument of the host.
            var program = Environment.ProcessPath!;
            string[] host = Path.GetFileNameWithoutExtension(program) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : [];
            ProcessStartInfo start = new(program, [.. host, .. arguments, WorkerOption]) { RedirectStandardInput = true, RedirectStandardError = true };
            if (onCards)
            {
                var visible = Environment.GetEnvironmentVariable(VisibleCards)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
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
