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
        var format = typed.GetValue(options.Format) ?? (target is null || defaultFormat == OutputFormat.Answers ? defaultFormat : OutputFormats.Of(target));
        var data = DataFolder.Resolve(typed.GetValue(options.Data));
        await using var ledger = await EmbeddedLedger.OpenAsync(data, cancellationToken);
        var sample = typed.GetValue(options.Sample);
        var submitted = await ledger.Submission.SubmitAsync(request with { Sample = sample }, cancellationToken);
        var last = await ledger.Jobs.ReadAsync(submitted.Id, cancellationToken);
        await AnnounceAsync(ledger.Jobs, submitted, cancellationToken);
        while (!JobStates.Table.IsFinal(last.State) && !(last.IsSampled && sample is not null))
        {
            // Without --sample, one that an earlier command began is no reason to stop.
            if (last.IsSampled)
            {
                await ledger.Control.ResumeAsync(submitted.Id, cancellationToken);
            }

            last = await WorkAsync(ledger, data, request, Settings(typed), submitted.Id, tells: sample is not null, cancellationToken);
        }

        if (last.Failure is { } failure)
        {
            await Console.Error.WriteLineAsync(failure.Message);
        }
        else
        {
            await WriteAsync(ledger.Results, last, target, format, cancellationToken);
        }

        if (last.FinalProgress?.Score is { } score)
        {
            await Console.Error.WriteLineAsync(JobOutput.WordsOf(score));
        }

        return JobFollowing.ExitCode(last);
    }

    /// <summary>What was typed that is a setting of the process and not of the job.</summary>
    private IEnumerable<KeyValuePair<string, string?>> Settings(ParseResult typed) =>
        [.. options.Engine.Settings(typed), .. typed.GetValue(options.AllowUrls) ? [KeyValuePair.Create<string, string?>("Llava:Egress:Enabled", "true")] : (KeyValuePair<string, string?>[])[]];

    private static async Task AnnounceAsync(JobReader jobs, SubmittedJob submitted, CancellationToken cancellationToken)
    {
        var done = submitted.IsNew ? 0 : (await jobs.ProgressAsync(submitted.Id, cancellationToken)).Done;
        await Console.Error.WriteLineAsync(submitted.IsNew ? $"{submitted.Id}" : $"{submitted.Id} was begun before; {done} items are done.");
    }

    /// <summary>Runs the embedded mode until the job is over or its sample is done.</summary>
    private static async Task<JobRecord> WorkAsync(
        EmbeddedLedger ledger, string data, JobRequest request, IEnumerable<KeyValuePair<string, string?>> settings, JobId job, bool tells, CancellationToken cancellationToken)
    {
        await using var host = await EmbeddedHost.StartAsync(data, request, settings, cancellationToken);
        var jobs = host.Services.GetRequiredService<JobReader>();
        var last = await JobFollowing.FollowAsync(async token => new(await jobs.ReadAsync(job, token), await jobs.ProgressAsync(job, token)), cancellationToken);
        // While the worker still lives, for which the rest is counted.
        if (tells && last.IsSampled && await ledger.SampleAsync(last, await jobs.ProgressAsync(job, cancellationToken), cancellationToken) is { } sample)
        {
            await JobFollowing.TellAsync(job, sample, "The same command without --sample goes on with it.");
        }

        return last;
    }

    private static async Task WriteAsync(ResultReader results, JobRecord job, string? target, OutputFormat format, CancellationToken cancellationToken)
    {
        if (target is not null)
        {
            await File(results).WriteAsync(job, target, format, cancellationToken);
            await Console.Error.WriteLineAsync($"Results: {target}");
        }
        else if (Console.IsOutputRedirected || format != OutputFormat.Jsonl)
        {
            await File(results).WriteAsync(job, Console.OpenStandardOutput(), format, cancellationToken);
        }
        else
        {
            await TerminalResults.WriteAsync(results, job, LinesOnTerminal, cancellationToken);
        }
    }

    private static ResultFile File(ResultReader results) => new(job => results.StreamAsync(job));
}
