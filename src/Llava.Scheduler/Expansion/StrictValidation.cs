using Llava.Contracts.Requests;
using Llava.Ledger.Expansion;
using Llava.Scheduler.Sources;

namespace Llava.Scheduler.Expansion;

/// <summary>Reads a whole source before any item of it is worked on.</summary>
internal static class StrictValidation
{
    /// <summary>Code of a job that is refused because items of its source cannot be used.</summary>
    public const string InvalidSource = "invalid_source";

    private const int MaxFindings = 20;

    /// <param name="request">The job, with the source that is read.</param>
    /// <param name="items">Makes the items; knows the names of earlier sources.</param>
    /// <param name="source">Reads the source.</param>
    /// <param name="cancellation">Stops reading.</param>
    /// <exception cref="SourceException">Items cannot be used; the first of them are named and all are counted.</exception>
    public static async Task RequireAsync(JobRequest request, JobItems items, IJobSource source, CancellationToken cancellation)
    {
        List<SourceFinding> findings = [];
        Dictionary<string, int> codes = [];
        var count = 0;
        await foreach (var record in source.ReadAsync(request, null, cancellation))
        {
            count++;
            if (items.Of(record).Select(item => item.Rejection).FirstOrDefault(rejection => rejection is not null) is { } finding)
            {
                codes[finding.Code] = codes.GetValueOrDefault(finding.Code) + 1;
                findings.AddRange(findings.Count < MaxFindings ? [new(finding, record.Place?.Number)] : []);
            }
        }

        if (findings.Count > 0)
        {
            throw new SourceException(InvalidSource, Describe(request.Source.Path, count, codes, findings)) { Findings = findings };
        }
    }

    private static string Describe(string path, int count, Dictionary<string, int> codes, List<SourceFinding> findings)
    {
        var bad = codes.Values.Sum();
        return $"""
            {bad} of the {count} items of '{path}' cannot be used ({string.Join(", ", codes.OrderByDescending(code => code.Value).Select(code => $"{code.Value} {code.Key}"))}), and the job is strict:
            {string.Join('\n', findings.Select(finding => finding.Failure.Message))}
            {(bad > findings.Count ? $"and {bad - findings.Count} more." : "Repair them, or submit the job without 'strict'.")}
            """;
    }
}
