using Llava.Contracts.Requests;
using Llava.GpuConsumer.Chunks;
using Llava.GpuConsumer.Models;
using Llava.Ledger.Signals;
using Llava.Ledger.Training;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.GpuConsumer.Training;

/// <summary>
/// Serves what was trained from a model that is served here, or made of a base that is, from the moment the run succeeds, without a restart; and takes away what was
/// deleted, its bytes included.
/// </summary>
internal sealed partial class TrainedModelsLoop(
    TrainingRuns runs, TrainingFolders folders, ModelPool models, ChunkEndpoints endpoints, ILedgerSignal signal, TrainingOptions options, IHostApplicationLifetime lifetime, ILogger<TrainedModelsLoop> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(stoppingToken);
        using var listener = signal.Listen(LedgerTopic.TrainingChanged);
        while (true)
        {
            try
            {
                foreach (var run in await runs.ListSucceededAsync(stoppingToken))
                {
                    await FollowAsync(run, stoppingToken);
                }
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                LookFailed(failure);
            }

            await listener.WaitAsync(options.Poll, stoppingToken);
        }
    }

    private async Task FollowAsync(TrainingRunRecord run, CancellationToken cancellation)
    {
        var isServed = models.Names.Contains(run.Model);
        if (run.HasModel && !isServed && IsKnown(run.Request) && folders.Find(run.Model) is not null)
        {
            await models.AddAsync(run.Model, () => endpoints.ConnectAsync(run.Model, cancellation), cancellation);
            Serving(run.Model, run.Request.Model);
        }

        if (!run.HasModel && isServed)
        {
            await endpoints.DisconnectAsync(run.Model, cancellation);
            models.Remove(run.Model);
            Removed(run.Model);
        }

        if (!run.HasModel && Directory.Exists(folders.ModelFolder(run.Model)))
        {
            Directory.Delete(folders.ModelFolder(run.Model), recursive: true);
        }
    }

    /// <summary>Whether what the model was made of is here.</summary>
    private bool IsKnown(TrainingRequest asked) => asked.Settings.Mode == TrainingMode.Alignment ? options.Bases.ContainsKey(asked.Model) : models.Names.Contains(asked.Model);

    [LoggerMessage(3057, LogLevel.Information, "Model {Model}, trained from {Base}, is served")]
    private partial void Serving(string model, string @base);

    [LoggerMessage(3058, LogLevel.Information, "Model {Model} was deleted and is served no more")]
    private partial void Removed(string model);

    [LoggerMessage(3059, LogLevel.Error, "Trained models could not be looked for; trying again")]
    private partial void LookFailed(Exception failure);
}
