using Llava.Contracts;
using Llava.Dashboard.Api;
using Llava.Dashboard.Jobs;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Llava.Ledger.Results;
using Llava.Dashboard.Security;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages.Jobs;

/// <summary>Asks the items that a job could not answer in another way: a new job with the same items and an edited prompt or other settings.</summary>
[PageRoles(AccessRole.Operator, AccessRole.Operator)]
internal sealed class AgainModel(JobReader jobs, ResultReader results, JobFollowUp followUp) : PageModel
{
    /// <summary>The job whose items are asked again.</summary>
    public JobView Job { get; private set; } = null!;

    /// <summary>The causes to choose from.</summary>
    public IReadOnlyList<ErrorCount> Causes { get; private set; } = [];

    /// <summary>Models that jobs ask for.</summary>
    public IReadOnlyList<string> Models { get; private set; } = [];

    /// <summary>What is wrong with what was sent.</summary>
    public string? Refusal { get; private set; }

    /// <summary>What is filled in.</summary>
    public AgainForm Form { get; private set; } = new();

    public async Task<IActionResult> OnGetAsync(string id, string? code, CancellationToken cancellationToken)
    {
        if (!await ReadAsync(id, cancellationToken))
        {
            return NotFound();
        }

        var request = Job.Job.Request;
        Form = new() { Code = code, Prompt = request.Prompt, Model = request.Model, MaxNewTokens = request.Generation.MaxNewTokens, Temperature = request.Generation.Temperature };
        return Page();
    }

    public async Task<IActionResult> OnPostAsync(string id, [FromForm] AgainForm form, CancellationToken cancellationToken)
    {
        if (!await ReadAsync(id, cancellationToken))
        {
            return NotFound();
        }

        Form = form;
        var before = Job.Job.Request;
        var prompt = string.IsNullOrWhiteSpace(form.Prompt) ? null : form.Prompt.ReplaceLineEndings("\n");
        try
        {
            var request = before with
            {
                Model = form.Model ?? before.Model,
                Prompt = prompt ?? before.Prompt,
                Generation = before.Generation with { MaxNewTokens = form.MaxNewTokens, Temperature = form.Temperature },
            };
            var made = await followUp.CreateAsync(Job.Job.Id, request, string.IsNullOrEmpty(form.Code) ? null : form.Code, prompt is not null && prompt != before.Prompt, cancellationToken);
            TempData["Said"] = $"Asking again in this new job; {Job.Source} keeps its results.";
            return Redirect($"/jobs/{made}");
        }
        catch (JobException refused)
        {
            Refusal = refused.Message;
            return Page();
        }
    }

    private async Task<bool> ReadAsync(string id, CancellationToken cancellationToken)
    {
        if (!JobId.TryParse(id, null, out var job) || await jobs.FindAsync(job, cancellationToken) is not { } record || !Caller.Of(User).MaySee(record.Request.Tenant))
        {
            return false;
        }

        Job = new(record, await jobs.ProgressAsync(job, cancellationToken));
        Causes = await results.ErrorsByCauseAsync(job, cancellationToken);
        Models = await jobs.ModelsAsync(Caller.Of(User).Confinement, cancellationToken);
        return true;
    }
}

/// <summary>What is filled in to ask again.</summary>
public sealed record AgainForm
{
    /// <summary>Only items that failed for this cause; empty for all.</summary>
    public string? Code { get; init; }

    /// <summary>The prompt; empty keeps each item's own.</summary>
    public string? Prompt { get; init; }

    /// <summary>The model.</summary>
    public string? Model { get; init; }

    /// <summary>Longest answer.</summary>
    public int MaxNewTokens { get; init; } = 512;

    /// <summary>Temperature.</summary>
    public double Temperature { get; init; }
}
