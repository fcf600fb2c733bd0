using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Llava.Contracts;
using Llava.Contracts.Documents;
using Llava.Contracts.Requests;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;

namespace Llava.Cli.Clients;

/// <summary>Jobs behind a server's HTTP API (docs/api.md).</summary>
internal sealed class HttpJobClient(ServerHttp http) : IJobClient
{
    private const int PageSize = 100;
    private const string JsonLines = "application/x-ndjson";

    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(100);

    public async Task<SubmittedJob> SubmitAsync(JobRequest request, CancellationToken cancellationToken)
    {
        if (request.IdempotencyKey is null)
        {
            throw new ArgumentException("A request without an idempotency key may not be sent twice, and an answer may get lost.", nameof(request));
        }

        var (status, job) = await http.PostForStatusAsync<JobDocument>("jobs", request, cancellationToken);
        return new(job.Id, status == HttpStatusCode.Created);
    }

    public Task<JobEstimate> EstimateAsync(JobRequest request, CancellationToken cancellationToken) => http.PostAsync<JobEstimate>("jobs/estimate", request, cancellationToken);

    public async Task<JobStatus> ReadAsync(JobId job, CancellationToken cancellationToken) => JobDocuments.Read(await http.GetAsync<JobDocument>($"jobs/{job}", cancellationToken));

    public async Task<IReadOnlyList<JobStatus>> ListAsync(int limit, CancellationToken cancellationToken)
    {
        List<JobStatus> jobs = [];
        JobId? after = null;
        do
        {
            var page = await http.GetAsync<JobPage>($"jobs?limit={Math.Min(PageSize, limit - jobs.Count)}{(after is { } last ? $"&after={last}" : "")}", cancellationToken);
            jobs.AddRange(page.Data.Select(JobDocuments.Read));
            after = page.Next;
        }
        while (after is not null && jobs.Count < limit);

        return jobs;
    }

    /// <summary>What is cut off is gone on with after the last item that arrived whole.</summary>
    public async IAsyncEnumerable<ItemResult> ResultsAsync(JobId job, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var last = -1;
        for (var cuts = 0; ; cuts++)
        {
            using var response = await http.OpenAsync($"jobs/{job}/results?after={last}", cancellationToken);
            if (response.Content.Headers.ContentType?.MediaType != JsonLines)
            {
                throw ServerAnswers.NotOurs(http.Server, response, null);
            }

            using StreamReader lines = new(await response.Content.ReadAsStreamAsync(cancellationToken));
            Line line;
            while ((line = await ReadLineAsync(lines, cancellationToken)).Result is { } result)
            {
                last = result.ItemNo;
                cuts = 0;
                yield return JobDocuments.Read(result);
            }

            if (line.Cut is null)
            {
                yield break;
            }

            await Task.Delay(ServerHttp.PauseAfter(cuts) ?? throw ServerAnswers.Unreachable(http.Server, cuts + 1, line.Cut), cancellationToken);
        }
    }

    public async Task<JobStatus> ControlAsync(JobId job, JobVerb verb, CancellationToken cancellationToken) =>
        JobDocuments.Read(await http.PostAsync<JobDocument>($"jobs/{job}/{verb.ToString().ToLowerInvariant()}", null, cancellationToken));

    public async Task<RetriedJob> RetryAsync(JobId job, RetryRequest retry, CancellationToken cancellationToken)
    {
        var retried = await http.PostAsync<RetriedDocument>($"jobs/{job}/retry", retry, cancellationToken);
        return new(retried.Job.State, retried.RetriedItems);
    }

    public async Task<AppendedPart> AppendAsync(JobId job, PartRequest part, CancellationToken cancellationToken)
    {
        if (part.IdempotencyKey is null)
        {
            throw new ArgumentException("A part without an idempotency key may not be sent twice, and an answer may get lost.", nameof(part));
        }

        var (status, appended) = await http.PostForStatusAsync<PartDocument>($"jobs/{job}/parts", part, cancellationToken);
        return new(JobDocuments.Read(appended), status == HttpStatusCode.Created);
    }

    public ValueTask DisposeAsync()
    {
        http.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async Task<Line> ReadLineAsync(StreamReader lines, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(LongestSilence);
        try
        {
            var text = await lines.ReadLineAsync(limit.Token);
            return text is null ? default : new(JsonSerializer.Deserialize<ResultDocument>(text, RequestJson.Options), null);
        }
        catch (Exception cut) when (cut is IOException or JsonException || (cut is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new(null, cut);
        }
    }

    /// <summary>A result, or why there is none; neither at the end.</summary>
    private readonly record struct Line(ResultDocument? Result, Exception? Cut);
}
