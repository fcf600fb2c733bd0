using System.CommandLine;
using Llava.Cli.Embedded;
using Llava.Cli.Output;
using Llava.Cli.Terminal;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Cli.Jobs;

/// <summary>What annotate and vqa do: submit, run in this process until the job is over, write the results.</summary>
internal sealed class JobRun(JobOptions options)
{
    private const int LinesOnTerminal = 40;

    public async Task<int> RunAsync(ParseResult typed, JobRequest request, OutputFormat defaultFormat, CancellationToken cancellationToken)
    {
        var target = typed.GetValue(options.Out);
        var format = typed.GetValue(options.Format) ?? (target is null || defaultFormat == OutputFormat.Answers ? defaultFormat : ResultFile.FormatOf(target));
        await using var host = await EmbeddedHost.StartAsync(DataFolder.Resolve(typed.GetValue(options.Data)), request, cancellationToken);
        var job = await SubmitAsync(host.Services, request, cancellationToken);
        var last = await FollowAsync(host.Services, job, cancellationToken);
        if (last.Failure is { } failure)
        {
            await Console.Error.WriteLineAsync(failure.Message);
            return ExitCodes.CannotReachOrLoad;
        }

        await WriteAsync(host.Services.GetRequiredService<ResultReader>(), last, target, format, cancellationToken);
        return last.FinalProgress is { } progress && progress.Done > progress.Succeeded ? ExitCodes.SomeItemsFailed : ExitCodes.Ok;
    }

    private static async Task<JobId> SubmitAsync(IServiceProvider services, JobRequest request, CancellationToken cancellationToken)
    {
        var submitted = await services.GetRequiredService<JobSubmission>().SubmitAsync(request, cancellationToken);
        if (!submitted.IsNew)
        {
            var progress = await services.GetRequiredService<JobReader>().ProgressAsync(submitted.Id, cancellationToken);
            await Console.Error.WriteLineAsync($"{submitted.Id} goes on: {progress.Done} items are done.");
        }
        else
        {
            await Console.Error.WriteLineAsync($"{submitted.Id}");
        }

        return submitted.Id;
    }

    private static async Task<JobRecord> FollowAsync(IServiceProvider services, JobId job, CancellationToken cancellationToken)
    {
        var jobs = services.GetRequiredService<JobReader>();
        JobRecord? record = null;
        await JobProgressBar.ShowAsync(
            async token =>
            {
                record = await jobs.ReadAsync(job, token);
                var progress = await jobs.ProgressAsync(job, token);
                return (new JobTick(progress.Done, progress.Failed, progress.Total, progress.CompletionTokens), JobStates.Table.IsFinal(record.State));
            },
            TimeProvider.System,
            cancellationToken);
        return record!;
    }

    private static async Task WriteAsync(ResultReader results, JobRecord job, string? target, OutputFormat format, CancellationToken cancellationToken)
    {
        if (target is not null)
        {
            await new ResultFile(results).WriteAsync(job, target, format, cancellationToken);
            await Console.Error.WriteLineAsync($"Results: {target}");
        }
        else if (Console.IsOutputRedirected || format != OutputFormat.Jsonl)
        {
            await new ResultFile(results).WriteAsync(job, Console.Out, format, cancellationToken);
        }
        else
        {
            await TerminalResults.WriteAsync(results, job, LinesOnTerminal, cancellationToken);
        }
    }
}
