using Llava.Contracts;
using Llava.Dashboard.Api;
using Llava.Dashboard.Elements;
using Llava.Dashboard.Jobs;
using Llava.Dashboard.Reviews;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages.Jobs;

/// <summary>One job: how it went, what it cost, why items failed, and what can be done about it.</summary>
internal sealed class JobModel(JobDetailsReader reader, JobReader jobs, JobControl control, IJobExports exports, TrainingFiles training) : PageModel
{
    /// <summary>What is shown.</summary>
    public JobDetails Details { get; private set; } = null!;

    /// <summary>The formats of its downloads.</summary>
    public IReadOnlyList<ExportFormat> Formats => exports.Formats;

    /// <summary>Whether the reader may do something.</summary>
    public bool MayAct => Caller.Of(User).Role >= AccessRole.Operator;

    public async Task<IActionResult> OnGetAsync(string id, CancellationToken cancellationToken)
    {
        var details = JobId.TryParse(id, null, out var job) ? await reader.ReadAsync(job, Caller.Of(User).Confinement, cancellationToken) : null;
        Details = details!;
        return details is null ? NotFound() : Page();
    }

    /// <summary>Pauses, resumes, cancels, or tries all failed items again.</summary>
    public async Task<IActionResult> OnPostAsync(string id, string verb, CancellationToken cancellationToken)
    {
        if (!BulkControl.Knows(verb))
        {
            return BadRequest();
        }

        return await ActAsync(id, async job =>
        {
            BulkControl bulk = new(jobs, control);
            return await bulk.RunAsync(verb, bulk.ChosenAsync([id]), job.Request.Tenant, cancellationToken);
        }, cancellationToken);
    }

    /// <summary>Tries the items again that failed for one cause.</summary>
    public Task<IActionResult> OnPostRetryAsync(string id, string code, CancellationToken cancellationToken) => ActAsync(id, async job =>
        $"Trying {Words.Count((await control.RetryAsync(job.Id, new() { Codes = [code] }, cancellationToken)).Items, "item")} again that failed with {code}.", cancellationToken);

    /// <summary>Makes a file to train on of the answers that people accepted or put right.</summary>
    public Task<IActionResult> OnPostTrainingAsync(string id, string format, CancellationToken cancellationToken) => ActAsync(id, async job =>
    {
        var file = await training.CreateAsync(job, format, cancellationToken);
        return $"Made the file {file.Id} ({Words.Bytes(file.Bytes)}) for fine-tuning: {file.Name}.";
    }, cancellationToken);

    private async Task<IActionResult> ActAsync(string id, Func<JobRecord, Task<string>> act, CancellationToken cancellationToken)
    {
        if (!JobId.TryParse(id, null, out var job) || await jobs.FindAsync(job, cancellationToken) is not { } record || !Caller.Of(User).MaySee(record.Request.Tenant))
        {
            return NotFound();
        }

        try
        {
            TempData["Said"] = await act(record);
        }
        catch (JobException refused)
        {
            TempData["Refused"] = refused.Message;
        }

        return Redirect($"/jobs/{record.Id}");
    }
}
