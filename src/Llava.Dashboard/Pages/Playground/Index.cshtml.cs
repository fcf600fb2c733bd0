using Llava.Dashboard.Playground;
using Llava.Dashboard.Security;
using Llava.Ledger.Keys;
using Llava.Ledger.Workers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages.Playground;

/// <summary>Chats in the browser, over the API that programs use.</summary>
[PageRoles(AccessRole.Operator, AccessRole.Operator)]
internal sealed class IndexModel(WorkerRegistry workers, ConversationLog log) : PageModel
{
    private const int MaxEntryBytes = 1 << 20;

    /// <summary>Drawings with a question, in the world of the model that ships.</summary>
    public static IReadOnlyList<(string Shape, string Color, string Ground, int X, int Y, string Question)> Examples { get; } =
    [
        ("circle", "red", "white", 0, 0, "What is this?"),
        ("square", "blue", "white", -40, -40, "Where is the blue square?"),
        ("triangle", "green", "gray", 30, 20, "Describe this image."),
    ];

    /// <summary>Models that live workers answer for.</summary>
    public IReadOnlyList<string> Models { get; private set; } = [];

    /// <summary>Whether conversations are written down.</summary>
    public bool IsLogged => log.IsOn;

    /// <summary>The page.</summary>
    public async Task OnGetAsync(CancellationToken cancellationToken) =>
        Models = [.. (await workers.LiveAsync(cancellationToken)).SelectMany(worker => worker.Models).Select(model => model.Name).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>Writes a turn or a judgement to the log.</summary>
    [RequestSizeLimit(MaxEntryBytes)]
    public async Task<IActionResult> OnPostLogAsync([FromBody] ConversationEntry entry, CancellationToken cancellationToken)
    {
        if (!ModelState.IsValid || !entry.IsKnown)
        {
            return BadRequest();
        }

        await log.WriteAsync(entry, cancellationToken);
        return StatusCode(StatusCodes.Status204NoContent);
    }
}
