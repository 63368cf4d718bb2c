// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// Pays many recipients in one transaction, or none of them.
///
/// It has no owner, no storage and no way to be changed. Of a token it moves only what belongs to the caller, straight
/// from the caller to the recipient, so that an allowance given to it can be used by nobody but who gave it. Of the
/// chain's own coin it passes on exactly what came with the call, and nothing stays here.
contract Disperse {
    /// The lists are empty or of different lengths.
    error ListsDiffer();
    /// The coins that came with the call are not the sum of the amounts.
    error WrongSum();
    /// The recipient at this place of the list could not be paid; `reason` is what its own call answered.
    error NotPaid(uint256 place, bytes reason);

    /// The chain's own coin went to a recipient: a chain keeps no other record of a payment that a contract makes.
    event Paid(address indexed payer, address indexed recipient, uint256 amount);

    /// Pay the chain's own coin. The sum is checked before anything is paid: a recipient that calls back in gets
    /// nothing that it did not bring along.
    function payNative(address[] calldata recipients, uint256[] calldata amounts) external payable {
        if (recipients.length == 0 || recipients.length != amounts.length) revert ListsDiffer();
        uint256 sum;
        for (uint256 place; place < amounts.length; ++place) sum += amounts[place];
        if (sum != msg.value) revert WrongSum();
        for (uint256 place; place < recipients.length; ++place) {
            (bool paid, bytes memory answer) = recipients[place].call{value: amounts[place]}("");
            if (!paid) revert NotPaid(place, answer);
            emit Paid(msg.sender, recipients[place], amounts[place]);
        }
    }

    /// Pay a token out of the caller's own balance, within the allowance that the caller has given to this contract.
    function payToken(address token, address[] calldata recipients, uint256[] calldata amounts) external {
        if (recipients.length == 0 || recipients.length != amounts.length) revert ListsDiffer();
        for (uint256 place; place < recipients.length; ++place) {
            (bool done, bytes memory answer) = token.call(
                // transferFrom(address,address,uint256)
                abi.encodeWithSelector(bytes4(0x23b872dd), msg.sender, recipients[place], amounts[place])
            );
            // Nothing but a plain `true` counts: no answer comes from an address without code, too.
            if (!done || answer.length != 32 || uint256(bytes32(answer)) != 1) revert NotPaid(place, answer);
        }
    }
}
