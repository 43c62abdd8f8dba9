Feature: The final authorization is driven by the webhook
  After a completed step-up the acquirer authorizes a second time. Nothing but Klarna's word sets this off.

  @AP-20 @AP-22 @AP-27
  Scenario: The webhook drives it, although the customer never comes back
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    And the customer never comes back
    Then the acquirer authorizes the payment with Klarna, finally
    And the acquirer tells the Partner that the payment is approved

  @AP-28 @redirect
  Scenario: A return of the customer is no proof
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment in redirect mode
    And the customer opens the URL that the acquirer returned
    And the customer leaves the purchase undecided
    And the customer comes back to the Partner
    Then the acquirer makes no final authorize
    And the Partner is not told that the payment is approved
