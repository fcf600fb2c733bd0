using Llava.Dashboard.Api;
using Llava.Dashboard.Models;
using Llava.Dashboard.Playground;
using Llava.Dashboard.Security;
using Llava.Ledger.Keys;
using Llava.Ledger.Training;
using Llava.Ledger.Workers;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages;

/// <summary>Chats in the browser, over the API that programs use.</summary>
[PageRoles(AccessRole.Operator, AccessRole.Operator)]
internal sealed class PlaygroundModel(WorkerRegistry workers, TrainedModelOwners owners, ConversationLog log) : PageModel
{
    /// <summary>Drawings with a question, in the world of the model that ships.</summary>
    public static IReadOnlyList<ExampleDrawing> Examples { get; } =
    [
        new("circle", "red", "white", 80, 80, "What is this?"),
        new("square", "blue", "white", 40, 40, "Where is the blue square?"),
        new("triangle", "purple", "gray", 80, 80, "Describe this image."),
    ];

    /// <summary>Models that live consumers answer for, by name.</summary>
    public IReadOnlyList<string> Models { get; private set; } = [];

    /// <summary>Whether conversations are written down.</summary>
    public bool IsLogged => log.IsOn;

    /// <summary>The page.</summary>
    public async Task OnGetAsync(CancellationToken cancellationToken) =>
        Models = [.. (await workers.LiveForAsync(owners, Caller.Of(User).Confinement, cancellationToken)).SelectMany(worker => worker.Models).Select(model => model.Name).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>Writes a turn or a judgement to the log.</summary>
    public async Task<IActionResult> OnPostLogAsync([FromBody] ConversationEntry entry, CancellationToken cancellationToken)
    {
        if (!ModelState.IsValid || !entry.IsKnown)
        {
            return BadRequest();
        }

        await log.WriteAsync(entry, cancellationToken);
        return new NoContentResult();
    }
}
