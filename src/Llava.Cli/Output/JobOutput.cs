using System.CommandLine;
using System.Text.Json;
using Llava.Cli.Clients;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Scores;

namespace Llava.Cli.Output;

/// <summary>A job on standard output: a line for people, or an object of JSON.</summary>
internal static class JobOutput
{
    /// <summary>The option that asks for JSON.</summary>
    public static Option<bool> Json { get; } = new("--json") { Description = "Print JSON, one object per job." };

    /// <summary>Prints what was asked for.</summary>
    public static void Write(ParseResult typed, JobStatus status, string line) => Console.WriteLine(typed.GetValue(Json) ? JsonOf(status) : line);

    /// <summary>The job as one line of JSON.</summary>
    public static string JsonOf(JobStatus status, int? retried = null) => JsonSerializer.Serialize(Fields(status, retried));

    /// <summary>A score in a sentence.</summary>
    public static string WordsOf(JobScore score) => FormattableString.Invariant($"{score.Right} of {score.Scored} answers are the expected ones, {score.Share:P1}.");

    private static Dictionary<string, object?> Fields(JobStatus status, int? retried)
    {
        var (job, progress) = status;
        Dictionary<string, object?> fields = new()
        {
            ["id"] = job.Id.ToString(),
            ["state"] = job.State.WireName(),
            ["model"] = job.Request.Model,
            ["source"] = job.Request.Source.Path,
            ["total"] = progress.Total,
            ["succeeded"] = progress.Succeeded,
            ["failed"] = progress.Failed,
            ["cancelled"] = progress.Cancelled,
            ["expired"] = progress.Expired,
            ["copied"] = progress.Copied,
            ["cached"] = progress.Cached,
            ["completion_tokens"] = progress.CompletionTokens,
            ["items_per_second"] = progress.ItemsPerSecond,
        };
        if (job.Request.Open)
        {
            fields["open"] = job.IsOpen;
            fields["parts"] = status.Parts?.Select(part => new
            {
                number = part.Number,
                source = part.Source.Path,
                state = part.State.WireName(),
                items = part.ItemCount,
                error = part.Failure is { } cause ? new { code = cause.Code, message = cause.Message } : null,
            });
        }

        if (status.Sample is { } sample)
        {
            fields["sample"] = JsonSerializer.SerializeToNode(sample, RequestJson.Options);
        }

        if (progress.Score is { } score)
        {
            fields["score"] = new { scored = score.Scored, right = score.Right, share = score.Share };
        }

        if (job.Failure is { } failure)
        {
            fields["error"] = new { code = failure.Code, message = failure.Message };
        }

        if (retried is not null)
        {
            fields["retried_items"] = retried;
        }

        return fields;
    }
}
