using Llava.Dashboard.Api;
using Llava.Dashboard.Consumers;
using Llava.Ledger.Training;
using Llava.Ledger.Workers;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages;

/// <summary>The processes that answer items, and what each does now.</summary>
internal sealed class ConsumersModel(WorkerRegistry workers, TrainedModelOwners owners, TimeProvider time) : PageModel
{
    /// <summary>What is shown.</summary>
    public ConsumersState State { get; private set; } = null!;

    /// <summary>The page.</summary>
    public async Task OnGetAsync(CancellationToken cancellation) =>
        State = await ConsumersState.ReadAsync(workers, owners, time, Caller.Of(User).Confinement, cancellation);
}
