using Llava.Dashboard.Api;
using Llava.Dashboard.Training;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages.Training;

/// <summary>All training runs.</summary>
internal sealed class TrainingModel(TrainingReader reader) : PageModel
{
    /// <summary>Runs on this page.</summary>
    public IReadOnlyList<TrainingView> Runs { get; private set; } = [];

    /// <summary>The run that this page begins behind; null on the first.</summary>
    public string? After { get; private set; }

    /// <summary>Whether the reader may do something.</summary>
    public bool MayAct => Caller.Of(User).Role >= AccessRole.Operator;

    /// <summary>The page.</summary>
    public async Task OnGetAsync(string? after, CancellationToken cancellationToken)
    {
        After = string.IsNullOrEmpty(after) ? null : after;
        Runs = await reader.ListAsync(Caller.Of(User).Confinement, After, cancellationToken);
    }
}
