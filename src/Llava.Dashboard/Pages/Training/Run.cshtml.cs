using Llava.Contracts;
using Llava.Dashboard.Api;
using Llava.Dashboard.Training;
using Llava.Ledger.Keys;
using Llava.Ledger.Training;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages.Training;

/// <summary>One training run, and what may be done to it.</summary>
internal sealed class TrainingRunModel(TrainingReader reader, TrainingRuns runs) : PageModel
{
    /// <summary>The run and all that happened.</summary>
    public TrainingDetails Details { get; private set; } = null!;

    /// <summary>Whether the reader may do something.</summary>
    public bool MayAct => Caller.Of(User).Role >= AccessRole.Operator;

    /// <summary>The page.</summary>
    public async Task<IActionResult> OnGetAsync(string id, CancellationToken cancellationToken)
    {
        if (await reader.FindAsync(id, Caller.Of(User).Confinement, cancellationToken) is not { } found)
        {
            return NotFound();
        }

        Details = found;
        return Page();
    }

    /// <summary>Pauses, resumes or cancels the run.</summary>
    public async Task<IActionResult> OnPostAsync(string id, string verb, CancellationToken cancellationToken)
    {
        var confinement = Caller.Of(User).Confinement;
        try
        {
            await (verb switch
            {
                "pause" => runs.PauseAsync(id, confinement, cancellationToken),
                "resume" => runs.ResumeAsync(id, confinement, cancellationToken),
                "cancel" => runs.CancelAsync(id, confinement, cancellationToken),
                _ => throw new BadHttpRequestException($"There is no '{verb}'."),
            });
            TempData["Said"] = verb switch { "pause" => "Paused: it stops at its next step.", "resume" => "Resumed: it goes on from its last checkpoint.", _ => "Cancelled." };
        }
        catch (TrainingRunNotFoundException)
        {
            return NotFound();
        }
        catch (TrainingRunException refused)
        {
            TempData["Refused"] = refused.Message;
        }

        return Redirect($"/training/{id}");
    }
}
