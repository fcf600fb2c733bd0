using System.Text.Json;
using Llava.GpuConsumer.Training.Processes;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Parallel;

namespace Llava.Cli.Training;

/// <summary>This program as one of the processes of a training run.</summary>
internal static class TrainingRank
{
    /// <summary>How this program is started again. Under 'dotnet llava.dll' it is an argument of the host.</summary>
    public static TrainingProgram Program { get; } =
        new(Environment.ProcessPath!, Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : []);

    /// <summary>Becomes one of the others, as standard input says.</summary>
    public static async Task<ICollective> JoinAsync(bool onCards, CancellationToken cancellationToken)
    {
        var invitation = JsonSerializer.Deserialize<GroupInvitation>(await Console.In.ReadLineAsync(cancellationToken) ?? "null")
            ?? throw new TrainingException($"{TrainingProgram.WorkerOption} is for processes that a training run starts itself; there is no invitation on standard input.");
        var ranks = await TcpGroup.JoinAsync(invitation, cancellationToken);
        return onCards ? new NcclCollective(ranks) : ranks;
    }
}
